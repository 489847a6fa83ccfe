#include "policy/trainer.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/config/config.h"
#include "policy/embedded_source.h"
#include "policy/fragment_collector.h"
#include "policy/remote_policy_collector.h"
#include "policy/step_collector.h"

namespace hivewire {
namespace {

constexpr size_t kLatestEpisodes = 100;
constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(200);
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const std::vector<std::string>& CsvColumns() {
  static const auto* const columns = new std::vector<std::string>{
      "frames",          "updates",         "seconds",      "frames_per_second",
      "episodes",        "episodic_return", "return_min",   "return_max",
      "episodic_length", "update_seconds",  "learning_rate"};
  return *columns;
}

// The mean of one member over some episodes; NaN for none.
template <typename Episodes>
double Mean(const Episodes& episodes, double EpisodeSummary::*member) {
  if (episodes.empty()) return kNan;
  double sum = 0;
  for (const EpisodeSummary& episode : episodes) sum += episode.*member;
  return sum / static_cast<double>(episodes.size());
}

// NaN where the tag is not among them.
double Value(const std::vector<Statistic>& statistics, absl::string_view tag) {
  for (const Statistic& statistic : statistics) {
    if (statistic.tag == tag) return statistic.value;
  }
  return kNan;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const v1::LearnerConfig& config,
                                                         const Reach& reach,
                                                         const Checkpoint* from) {
  std::unique_ptr<Trainer> trainer(new Trainer(config, reach));
  absl::Status status = trainer->ReachEnvs(from != nullptr ? from->state.frames() : 0);
  if (!status.ok()) return status;
  status = from != nullptr ? trainer->Restore(*from) : trainer->collector_->Start(config.seed());
  if (!status.ok()) return status;
  return trainer;
}

Trainer::Trainer(const v1::LearnerConfig& config, const Reach& reach)
    : config_(config), reach_(reach), progress_(absl::Seconds(config.output().log_interval())) {}

absl::Status Trainer::ReachEnvs(int64_t frames) {
  absl::StatusOr<Problem> problem = ReachLanes(frames);
  if (!problem.ok()) return problem.status();
  problem_ = *std::move(problem);
  if (config_.collection().stop_at_reward_threshold() && !problem_.reward_threshold.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("collection.stop_at_reward_threshold: the learner knows of no threshold of ",
                     config_.env().id()));
  }
  auto algorithm = MakeAlgorithm(config_, problem_);
  if (!algorithm.ok()) return algorithm.status();
  algorithm_ = *std::move(algorithm);
  if (absl::Status status = MakeCollector(); !status.ok()) return status;
  *state_.mutable_config() = config_;
  state_.set_observation_dim(problem_.observation_dim);
  state_.set_action_dim(problem_.action.dim());
  return absl::OkStatus();
}

absl::StatusOr<Problem> Trainer::ReachLanes(int64_t frames) {
  const std::string& mode = config_.collection().mode();
  if (mode == kRemotePolicy) {
    auto rollout = MakeRollout(config_, reach_);
    if (!rollout.ok()) return Annotate(rollout.status(), "collection.mode remote-policy");
    rollout_ = *std::move(rollout);
    return MakeProblem(*rollout_);
  }
  if (mode == kCollectors) {
    if (!reach_.collectors) {
      return absl::InvalidArgumentError(
          "collection.mode collectors: give --listen=ADDRESS, where they find this learner");
    }
    auto source = reach_.collectors(config_, frames);
    if (!source.ok()) return source.status();
    source_ = *std::move(source);
    return source_->problem();
  }
  auto env = MakeEnv(config_, config_.env().num_envs(), reach_);
  if (!env.ok()) return env.status();
  env_ = *std::move(env);
  return MakeProblem(*env_, config_);
}

absl::Status Trainer::MakeCollector() {
  if (rollout_ != nullptr) {
    collector_ =
        std::make_unique<RemotePolicyCollector>(*rollout_, *algorithm_, problem_.action, config_);
    return absl::OkStatus();
  }
  const absl::Status travels = algorithm_->Export().status();
  std::unique_ptr<Observations> observations;
  if (source_ == nullptr) {
    auto made = MakeObservations(*env_, config_);
    if (!made.ok()) return made.status();
    observations = *std::move(made);
  }
  if (source_ == nullptr && travels.ok()) {
    source_ = std::make_unique<EmbeddedSource>(*env_, problem_, config_, std::move(observations));
  }
  if (source_ == nullptr && absl::IsUnimplemented(travels)) {
    if (config_.normalization().init_stats() > 0 || config_.collection().init_random_frames() > 0) {
      return Annotate(travels, "normalization.init_stats and collection.init_random_frames");
    }
    collector_ = std::make_unique<StepCollector>(*env_, *algorithm_, problem_.action, config_,
                                                 std::move(observations));
    return absl::OkStatus();
  }
  if (!travels.ok()) return Annotate(travels, "collection.mode collectors");
  collector_ = std::make_unique<FragmentCollector>(*source_, *algorithm_, config_);
  return absl::OkStatus();
}

absl::Status Trainer::Restore(const Checkpoint& from) {
  if (from.state.observation_dim() != problem_.observation_dim ||
      from.state.action_dim() != problem_.action.dim()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the checkpoint was made for ", from.state.observation_dim(), " observations and ",
        from.state.action_dim(), " action elements, ", config_.env().id(), " has ",
        problem_.observation_dim, " and ", problem_.action.dim()));
  }
  if (absl::Status status = algorithm_->Load(from.tensors); !status.ok()) return status;
  absl::Status env_state_lost;
  // Seeds of the envs' new episodes, should they be needed, differ from those of the first ones.
  const uint64_t seed = config_.seed() + static_cast<uint64_t>(from.state.frames());
  if (absl::Status status = collector_->Load(from.tensors, seed, env_state_lost); !status.ok()) {
    return status;
  }
  if (!env_state_lost.ok()) {
    progress_.Say(absl::StrCat("the envs start new episodes, their state could not be taken back: ",
                               env_state_lost.message()));
  }
  state_ = from.state;
  *state_.mutable_config() = config_;
  seconds_before_ = state_.seconds();
  frames_before_ = last_saved_ = last_evaluated_ = state_.frames();
  return absl::OkStatus();
}

absl::Status Trainer::Run(const RunFolder& folder, const std::function<bool()>& stop) {
  folder_ = folder;
  Warn(CsvWriter::DropRowsAfter(folder.progress_csv(), static_cast<double>(state_.frames())));
  csv_ = std::make_unique<CsvWriter>(folder.progress_csv(), CsvColumns());
  if (config_.output().tensorboard()) {
    absl::StatusOr<std::unique_ptr<EventWriter>> events = EventWriter::Create(folder.path());
    Warn(events.status());
    if (events.ok()) {
      events_ = *std::move(events);
      std::string text;
      google::protobuf::TextFormat::PrintToString(config_, &text);
      Warn(events_->AddText(state_.frames(), "hyperparameters",
                            absl::StrCat("```\n", text, "```\n")));
    }
  }
  started_ = absl::Now();
  absl::Status status = Loop(stop);
  // The state between two updates is whole, whatever ended the loop.
  if (status.ok() || absl::IsCancelled(status)) {
    status = last_saved_ == state_.frames() ? absl::OkStatus() : Save();
    progress_.Show(Present(), /*now=*/true);
    progress_.Say("");
  }
  return status;
}

absl::Status Trainer::Loop(const std::function<bool()>& stop) {
  const int64_t total = config_.collection().total_frames();
  while (state_.frames() < total && !stop()) {
    const double share = static_cast<double>(state_.frames()) / static_cast<double>(total);
    absl::StatusOr<int64_t> frames = collector_->Collect(total - state_.frames());
    if (!frames.ok()) return frames.status();
    if (collector_->losses() > losses_) {
      losses_ = collector_->losses();
      const bool collectors = config_.collection().mode() == kCollectors;
      progress_.Say(absl::StrCat(collectors ? "a collector was lost, " : "the server was lost, ",
                                 losses_, losses_ == 1 ? " time" : " times", " so far; ",
                                 collectors ? "the others go on" : "new pools, new episodes"));
    }
    const absl::Time collected = absl::Now();
    absl::StatusOr<std::vector<Statistic>> statistics = algorithm_->Update(share);
    if (!statistics.ok()) return statistics.status();
    state_.set_frames(state_.frames() + *frames);
    state_.set_updates(state_.updates() + 1);
    state_.set_seconds(Seconds());
    Report(*std::move(statistics), absl::Now() - collected);

    if (Due(config_.checkpoint().interval(), last_saved_)) Warn(Save());
    if (ReachedThreshold()) break;
    if (state_.frames() < total && Due(config_.evaluation().interval(), last_evaluated_)) {
      if (absl::Status status = EvaluateNow(stop); !status.ok()) return status;
    }
  }
  if (stop()) return absl::CancelledError("stopped");
  collector_->Finish();
  return EvaluateNow(stop);
}

bool Trainer::ReachedThreshold() {
  if (!config_.collection().stop_at_reward_threshold() || latest_.size() < kLatestEpisodes ||
      Mean(latest_, &EpisodeSummary::episode_return) < *problem_.reward_threshold) {
    return false;
  }
  progress_.Say(absl::StrCat("the latest ", kLatestEpisodes,
                             " episodes reach the env's threshold, ", *problem_.reward_threshold,
                             "; the run ends"));
  return true;
}

void Trainer::Report(std::vector<Statistic> statistics, absl::Duration update_time) {
  const std::vector<EpisodeSummary> episodes = collector_->TakeEpisodes();
  state_.set_episodes(state_.episodes() + static_cast<int64_t>(episodes.size()));
  for (const EpisodeSummary& episode : episodes) latest_.push_back(episode);
  while (latest_.size() > kLatestEpisodes) latest_.pop_front();
  if (const int64_t faults = collector_->TakeFaults(); faults > 0) {
    faults_ += faults;
    progress_.Say(absl::StrCat("lane faults so far: ", faults_));
  }

  const double mean_return = Mean(episodes, &EpisodeSummary::episode_return);
  const double mean_length = Mean(episodes, &EpisodeSummary::length);
  double low = kNan, high = kNan;
  for (const EpisodeSummary& episode : episodes) {
    low = std::fmin(low, episode.episode_return);
    high = std::fmax(high, episode.episode_return);
  }
  const ProgressState present = Present();
  Warn(csv_->Append({static_cast<double>(state_.frames()), static_cast<double>(state_.updates()),
                     state_.seconds(), present.frames_per_second,
                     static_cast<double>(state_.episodes()), mean_return, low, high, mean_length,
                     absl::ToDoubleSeconds(update_time),
                     Value(statistics, "charts/learning_rate")}));
  if (events_ != nullptr) {
    statistics.push_back({"charts/SPS", present.frames_per_second});
    for (Statistic& statistic : collector_->statistics()) statistics.push_back(statistic);
    if (!episodes.empty()) {
      statistics.push_back({"charts/episodic_return", mean_return});
      statistics.push_back({"charts/episodic_length", mean_length});
    }
    Warn(events_->AddScalars(state_.frames(), statistics));
  }
  progress_.Show(present);
}

absl::Status Trainer::EvaluateNow(const std::function<bool()>& stop) {
  const v1::EvaluationConfig& config = config_.evaluation();
  last_evaluated_ = state_.frames();
  if (config.episodes() == 0) return absl::OkStatus();
  // The server was there before, so it is waited for as for a broken connection.
  Reach reach = reach_;
  reach.connection.connect_timeout =
      std::max(reach.connection.connect_timeout, reach.connection.reconnect_timeout);
  const auto evaluate = [&]() -> absl::StatusOr<Evaluation> {
    absl::StatusOr<std::unique_ptr<VectorEnv>> env =
        MakeEnv(config_, std::min(config.num_envs(), config.episodes()), reach);
    if (!env.ok()) return env.status();
    auto observations = MakeObservations(**env, config_);
    if (!observations.ok()) return observations.status();
    return Evaluate(**env, **observations, *algorithm_, problem_.action,
                    collector_->observation_normalizer(), config.episodes(), config.seed(), stop);
  };
  absl::StatusOr<Evaluation> evaluation = evaluate();
  // Lost half way, it is done anew.
  while (PoolsAreGone(evaluation.status()) && !stop()) {
    absl::SleepFor(kBetweenAttempts);
    evaluation = evaluate();
  }
  if (!evaluation.ok()) return Annotate(evaluation.status(), "evaluation");

  const Spread returns = SpreadOf(evaluation->returns);
  progress_.Say(
      absl::StrFormat("evaluation at %d frames: return %.1f ± %.1f (%.1f … %.1f) over %d "
                      "episodes, length %.0f",
                      state_.frames(), returns.mean, returns.deviation, returns.low, returns.high,
                      evaluation->returns.size(), SpreadOf(evaluation->lengths).mean));
  Warn(WriteFileAtomically(folder_->evaluation_json(),
                           {EvaluationJson(*evaluation, config_.env().id(), state_.frames())}));
  if (events_ != nullptr) {
    Warn(events_->AddScalars(state_.frames(), {{"eval/episodic_return", returns.mean}}));
  }
  state_.set_evaluation_return(returns.mean);
  const bool best =
      !state_.has_best_evaluation_return() || returns.mean >= state_.best_evaluation_return();
  if (best) state_.set_best_evaluation_return(returns.mean);
  absl::Status saved = Save();
  if (saved.ok() && best)
    saved = CheckpointFolder(folder_->checkpoints()).MarkBest(state_.frames());
  Warn(saved);
  return absl::OkStatus();
}

absl::Status Trainer::Save() {
  Checkpoint checkpoint;
  state_.set_seconds(Seconds());
  checkpoint.state = state_;
  absl::Status status = algorithm_->Save(checkpoint.tensors);
  if (status.ok()) status = collector_->Save(config_.checkpoint().env_state(), checkpoint.tensors);
  if (status.ok()) {
    status = CheckpointFolder(folder_->checkpoints()).Save(checkpoint, config_.checkpoint().keep());
  }
  if (!status.ok()) return Annotate(status, "no checkpoint");
  last_saved_ = state_.frames();
  return absl::OkStatus();
}

void Trainer::Warn(const absl::Status& status) {
  // The same trouble at every update is told once.
  if (status.ok() || last_warning_ == status.message()) return;
  last_warning_ = std::string(status.message());
  progress_.Say(absl::StrCat("warning: ", last_warning_, "; the run goes on"));
}

ProgressState Trainer::Present() const {
  const double seconds = absl::ToDoubleSeconds(absl::Now() - started_);
  return {.frames = state_.frames(),
          .total_frames = config_.collection().total_frames(),
          .frames_per_second =
              seconds > 0 ? static_cast<double>(state_.frames() - frames_before_) / seconds : 0,
          .episodes = state_.episodes(),
          .mean_return = Mean(latest_, &EpisodeSummary::episode_return),
          .mean_length = Mean(latest_, &EpisodeSummary::length)};
}

double Trainer::Seconds() const {
  return seconds_before_ + absl::ToDoubleSeconds(absl::Now() - started_);
}

bool Trainer::Due(int64_t interval, int64_t last) const {
  return interval > 0 && state_.frames() / interval > last / interval;
}

}  // namespace hivewire
