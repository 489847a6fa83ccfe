#include "policy/trainer.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/collector_state.h"
#include "policy/config/config.h"
#include "policy/embedded_source.h"
#include "policy/fragment_collector.h"
#include "policy/remote_policy_source.h"
#include "policy/step_collector.h"

namespace hivewire {
namespace {

constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(200);
// AllenAct's most frames.
constexpr FilmOptions kFilm = {.path = "", .size = 160, .max_frames = 400};

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const v1::LearnerConfig& config,
                                                         const Reach& reach, const Checkpoint* from,
                                                         const Checkpoint* weights, Ranks* ranks) {
  absl::Status status = CheckTrackers(config.output());
  if (!status.ok()) return status;
  std::unique_ptr<Trainer> trainer(new Trainer(config, reach, ranks));
  const TrainerRanks& together = trainer->ranks_;
  status = trainer->ReachEnvs(from != nullptr ? from->state.frames() : 0);
  if (status.ok() && weights != nullptr) status = trainer->TakeWeights(*weights);
  status = together.Agree(status);
  if (status.ok() && ranks != nullptr) status = trainer->algorithm_->LearnWith(*ranks);
  if (!status.ok()) return status;
  status =
      together.Agree(from != nullptr ? trainer->Restore(*from)
                                     : trainer->collector_->Start(trainer->own_config_.seed()));
  if (!status.ok()) return status;
  return trainer;
}

Trainer::Trainer(const v1::LearnerConfig& config, const Reach& reach, Ranks* ranks)
    : config_(config), own_config_(config), reach_(reach), ranks_(ranks), reporter_(config) {}

absl::Status Trainer::ReachEnvs(int64_t frames) {
  absl::StatusOr<v1::LearnerConfig> own = ranks_.OwnConfig(config_);
  if (!own.ok()) return own.status();
  own_config_ = *std::move(own);
  absl::StatusOr<Problem> problem = ReachLanes(frames);
  if (!problem.ok()) return problem.status();
  problem_ = *std::move(problem);
  if (config_.collection().stop_at_reward_threshold() && !problem_.reward_threshold.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("collection.stop_at_reward_threshold: the learner knows of no threshold of ",
                     config_.env().id()));
  }
  auto algorithm = MakeAlgorithm(own_config_, problem_);
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
    auto rollout = MakeRollout(own_config_, reach_);
    if (!rollout.ok()) return Annotate(rollout.status(), "collection.mode remote-policy");
    rollout_ = *std::move(rollout);
    return MakeProblem(*rollout_);
  }
  if (mode == kCollectors) {
    if (!reach_.collectors) {
      return absl::InvalidArgumentError(
          "collection.mode collectors: give --listen=ADDRESS, where they find this learner");
    }
    auto source = reach_.collectors(own_config_, frames);
    if (!source.ok()) return source.status();
    source_ = *std::move(source);
    return source_->problem();
  }
  auto env = MakeEnv(own_config_, own_config_.env().num_envs(), reach_);
  if (!env.ok()) return env.status();
  env_ = *std::move(env);
  return MakeProblem(*env_, own_config_);
}

absl::Status Trainer::MakeCollector() {
  const absl::Status travels = algorithm_->Export().status();
  if (env_ != nullptr) {
    auto observations = MakeObservations(*env_, own_config_);
    if (!observations.ok()) return observations.status();
    if (absl::IsUnimplemented(travels)) {
      if (config_.normalization().init_stats() > 0 ||
          config_.collection().init_random_frames() > 0) {
        return Annotate(travels, "normalization.init_stats and collection.init_random_frames");
      }
      if (ranks_.ranks() != nullptr) return Annotate(travels, "several ranks");
      collector_ = std::make_unique<StepCollector>(*env_, *algorithm_, problem_.action, own_config_,
                                                   *std::move(observations));
      return absl::OkStatus();
    }
    source_ =
        std::make_unique<EmbeddedSource>(*env_, problem_, own_config_, *std::move(observations));
  } else if (rollout_ != nullptr) {
    source_ = std::make_unique<RemotePolicySource>(*rollout_, problem_, own_config_);
  }
  if (!travels.ok()) {
    return Annotate(travels, absl::StrCat("collection.mode ", config_.collection().mode()));
  }
  collector_ =
      std::make_unique<FragmentCollector>(*source_, *algorithm_, own_config_, ranks_.ranks());
  return absl::OkStatus();
}

absl::Status Trainer::CheckShapes(const Checkpoint& checkpoint) const {
  const v1::CheckpointState& state = checkpoint.state;
  if (state.observation_dim() == problem_.observation_dim &&
      state.action_dim() == problem_.action.dim()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoint was made for ", state.observation_dim(), " observations and ",
                   state.action_dim(), " action elements, ", config_.env().id(), " has ",
                   problem_.observation_dim, " and ", problem_.action.dim()));
}

absl::Status Trainer::TakeWeights(const Checkpoint& from) {
  absl::Status status = CheckShapes(from);
  if (status.ok()) status = algorithm_->LoadWeights(from.tensors);
  ObservationNormalizer* const normalizer = collector_->observation_normalizer();
  if (!status.ok() || normalizer == nullptr) return status;
  return normalizer->moments().Load(kObservationMoments, from.tensors);
}

absl::Status Trainer::Restore(const Checkpoint& all) {
  const absl::StatusOr<Checkpoint> part = ranks_.OwnPart(all);
  if (!part.ok()) return part.status();
  const Checkpoint& from = *part;
  if (absl::Status status = CheckShapes(from); !status.ok()) return status;
  if (absl::Status status = algorithm_->Load(from.tensors); !status.ok()) return status;
  absl::Status env_state_lost;
  // Seeds of the envs' new episodes, should they be needed, differ from those of the first ones.
  const uint64_t seed = own_config_.seed() + static_cast<uint64_t>(from.state.frames());
  if (absl::Status status = collector_->Load(from.tensors, seed, env_state_lost); !status.ok()) {
    return status;
  }
  if (!env_state_lost.ok()) {
    reporter_.Say(absl::StrCat("the envs start new episodes, their state could not be taken back: ",
                               env_state_lost.message()));
  }
  state_ = from.state;
  *state_.mutable_config() = config_;
  seconds_before_ = state_.seconds();
  frames_before_ = last_saved_ = state_.frames();
  last_evaluated_ = state_.has_evaluated() ? state_.evaluated() : state_.frames();
  last_filmed_ = state_.has_filmed() ? state_.filmed() : state_.frames();
  reporter_.TakeLatest(state_);
  return absl::OkStatus();
}

absl::Status Trainer::Run(const std::optional<RunFolder>& folder,
                          const std::function<bool()>& stop) {
  folder_ = folder;
  if (absl::Status status = ranks_.ShareFolder(folder); !status.ok()) return status;
  if (folder.has_value()) reporter_.Open(*folder, state_.frames());
  started_ = absl::Now();
  absl::Status status = Loop(stop);
  const bool failed = !status.ok() && !absl::IsCancelled(status);
  if (ranks_.broken() || (ranks_.ranks() != nullptr && failed)) {
    return ranks_.EndWithout(status, last_saved_);
  }
  // The state between two updates is whole, whatever ended the loop.
  if (status.ok() || absl::IsCancelled(status)) {
    status = last_saved_ == state_.frames() ? absl::OkStatus() : Save();
    if (ranks_.broken()) return ranks_.EndWithout(status, last_saved_);
    reporter_.Finish();
  }
  return status;
}

absl::Status Trainer::Loop(const std::function<bool()>& stop) {
  const int64_t total = config_.collection().total_frames();
  if (config_.evaluation().at_start() && state_.frames() == 0) {
    if (absl::Status status = EvaluateNow(stop); !status.ok()) return status;
  }
  while (state_.frames() < total && !ReachedThreshold()) {
    if (Due(config_.evaluation().interval(), last_evaluated_)) {
      if (absl::Status status = EvaluateNow(stop); !status.ok()) return status;
    }
    const absl::StatusOr<bool> stops = ranks_.Stops(stop);
    if (!stops.ok()) return stops.status();
    if (*stops) return absl::CancelledError("stopped");
    if (absl::Status status = KeepForRanks(); !status.ok()) return status;
    const double share = static_cast<double>(state_.frames()) / static_cast<double>(total);
    absl::StatusOr<int64_t> frames = collector_->Collect(total - state_.frames());
    if (!frames.ok()) return frames.status();
    if (collector_->losses() > losses_) {
      losses_ = collector_->losses();
      const bool collectors = config_.collection().mode() == kCollectors;
      reporter_.Say(absl::StrCat(collectors ? "a collector was lost, " : "the server was lost, ",
                                 losses_, losses_ == 1 ? " time" : " times", " so far; ",
                                 collectors ? "the others go on" : "new pools, new episodes"));
    }
    const absl::Time collected = absl::Now();
    absl::StatusOr<std::vector<Statistic>> statistics = algorithm_->Update(share);
    if (!statistics.ok()) return statistics.status();
    state_.set_frames(state_.frames() + *frames);
    state_.set_updates(state_.updates() + 1);
    state_.set_seconds(Seconds());
    absl::Status reported = Report(*std::move(statistics), absl::Now() - collected);
    if (!reported.ok()) return reported;

    if (Due(config_.checkpoint().interval(), last_saved_)) reporter_.Warn(Save());
    if (ranks_.writes() && Due(config_.output().video_interval(), last_filmed_)) {
      reporter_.Warn(FilmNow(stop));
    }
  }
  const absl::StatusOr<bool> stops = ranks_.Stops(stop);
  if (!stops.ok()) return stops.status();
  if (*stops) return absl::CancelledError("stopped");
  collector_->Finish();
  return EvaluateNow(stop);
}

bool Trainer::ReachedThreshold() {
  if (!config_.collection().stop_at_reward_threshold() ||
      reporter_.LatestReturn().value_or(-HUGE_VAL) < *problem_.reward_threshold) {
    return false;
  }
  reporter_.Say(absl::StrCat("the latest hundred episodes reach the env's threshold, ",
                             *problem_.reward_threshold, "; the run ends"));
  return true;
}

absl::Status Trainer::KeepForRanks() {
  if (ranks_.ranks() == nullptr) return absl::OkStatus();
  Checkpoint kept;
  kept.state = state_;
  kept.state.set_ranks(ranks_.ranks()->size());
  absl::Status status = algorithm_->Save(kept.tensors);
  if (status.ok()) status = collector_->Save(/*env_state=*/false, kept.tensors);
  ranks_.Keep(std::move(kept));
  return status;
}

absl::Status Trainer::Report(std::vector<Statistic> statistics, absl::Duration update_time) {
  UpdateReport report;
  report.episodes = collector_->TakeEpisodes();
  int64_t faults = collector_->TakeFaults();
  absl::Status status = ranks_.ShareEpisodes(report.episodes, faults);
  if (!status.ok()) return status;
  state_.set_episodes(state_.episodes() + static_cast<int64_t>(report.episodes.size()));
  if (faults > 0) {
    faults_ += faults;
    reporter_.Say(absl::StrCat("lane faults so far: ", faults_));
  }
  for (Statistic& statistic : collector_->statistics()) statistics.push_back(statistic);
  report.statistics = std::move(statistics);
  report.frames = state_.frames();
  report.updates = state_.updates();
  report.episodes_so_far = state_.episodes();
  report.seconds = state_.seconds();
  report.update_seconds = absl::ToDoubleSeconds(update_time);
  const double here = Seconds() - seconds_before_;
  report.frames_per_second =
      here > 0 ? static_cast<double>(state_.frames() - frames_before_) / here : 0;
  reporter_.AddUpdate(report);
  return absl::OkStatus();
}

absl::StatusOr<Evaluation> Trainer::Play(int num_envs, EvaluationOptions options,
                                         const FilmOptions* film,
                                         const std::function<bool()>& stop) {
  // The server was there before, so it is waited for as for a broken connection.
  Reach reach = reach_;
  reach.connection.connect_timeout =
      std::max(reach.connection.connect_timeout, reach.connection.reconnect_timeout);
  options.seed = config_.evaluation().seed();
  options.success_return = config_.evaluation().success_return();
  const auto play = [&]() -> absl::StatusOr<Evaluation> {
    absl::StatusOr<std::unique_ptr<VectorEnv>> env = MakeEvaluationEnv(config_, num_envs, reach);
    if (!env.ok()) return env.status();
    auto observations = MakeObservations(**env, config_);
    if (!observations.ok()) return observations.status();
    std::unique_ptr<Film> filming;
    if (film != nullptr) {
      auto made = Film::Create(**env, *film);
      if (!made.ok()) return made.status();
      filming = *std::move(made);
      options.spectators = {filming.get()};
    }
    absl::StatusOr<Evaluation> evaluation = Evaluate(
        **env, **observations, {*algorithm_, problem_.action, collector_->observation_normalizer()},
        options, [&] { return stop() || (filming != nullptr && filming->full()); });
    if (filming != nullptr && (evaluation.ok() || filming->full())) {
      if (absl::Status status = filming->Finish(); !status.ok()) return status;
    }
    return evaluation;
  };
  absl::StatusOr<Evaluation> evaluation = play();
  // Lost half way, it is done anew.
  while (PoolsAreGone(evaluation.status()) && !stop()) {
    absl::SleepFor(kBetweenAttempts);
    evaluation = play();
  }
  return evaluation;
}

absl::Status Trainer::EvaluateNow(const std::function<bool()>& stop) {
  if (config_.evaluation().episodes() == 0) return absl::OkStatus();
  const absl::StatusOr<bool> best = ranks_.writes() ? EvaluateHere(stop) : false;
  if (absl::Status status = ranks_.Agree(best.status()); !status.ok()) {
    // What was learned does not go with it; several ranks keep it themselves.
    if (ranks_.ranks() == nullptr && !absl::IsCancelled(status)) reporter_.Warn(Save());
    return status;
  }
  last_evaluated_ = state_.frames();
  absl::Status saved = Save();
  if (saved.ok() && *best) {
    saved = CheckpointFolder(folder_->checkpoints()).MarkBest(state_.frames());
  }
  reporter_.Warn(saved);
  return absl::OkStatus();
}

absl::StatusOr<bool> Trainer::EvaluateHere(const std::function<bool()>& stop) {
  const int episodes = config_.evaluation().episodes();
  const absl::StatusOr<Evaluation> evaluation =
      Play(episodes, {.episodes = episodes}, /*film=*/nullptr, stop);
  if (!evaluation.ok()) return Annotate(evaluation.status(), "evaluation");

  reporter_.AddEvaluation(state_.frames(), *evaluation);
  reporter_.Warn(WriteFileAtomically(
      folder_->evaluation_json(),
      {EvaluationJson(*evaluation, {config_.env().id(), state_.frames()}), "\n"}));
  const double mean = SpreadOf(evaluation->returns).mean;
  state_.set_evaluation_return(mean);
  const bool best = !state_.has_best_evaluation_return() || mean >= state_.best_evaluation_return();
  if (best) state_.set_best_evaluation_return(mean);
  return best;
}

absl::Status Trainer::FilmNow(const std::function<bool()>& stop) {
  const int64_t filmed_before = std::exchange(last_filmed_, state_.frames());
  std::error_code error;
  std::filesystem::create_directories(folder_->videos(), error);
  FilmOptions film = kFilm;
  film.path = folder_->video(state_.frames());
  const absl::Status status = Play(/*num_envs=*/1, {.episodes = 1}, &film, stop).status();
  // A film that is full ends its episode.
  if (stop()) {
    last_filmed_ = filmed_before;
    return absl::OkStatus();
  }
  if (!status.ok() && !absl::IsCancelled(status)) return Annotate(status, "no video");
  reporter_.AddVideo(state_.frames(), film.path, film.size);
  return absl::OkStatus();
}

absl::Status Trainer::Save() {
  Checkpoint checkpoint;
  state_.set_seconds(Seconds());
  state_.set_evaluated(last_evaluated_);
  state_.set_filmed(last_filmed_);
  reporter_.PutLatest(state_);
  checkpoint.state = state_;
  absl::Status status = algorithm_->Save(checkpoint.tensors);
  if (status.ok()) status = collector_->Save(config_.checkpoint().env_state(), checkpoint.tensors);
  status = ranks_.Gather(status, checkpoint);
  state_ = checkpoint.state;
  if (status.ok() && folder_.has_value()) {
    status = CheckpointFolder(folder_->checkpoints()).Save(checkpoint, config_.checkpoint().keep());
  }
  status = ranks_.Agree(status);
  if (!status.ok()) return Annotate(status, "no checkpoint");
  last_saved_ = state_.frames();
  reporter_.AddWeights(state_.frames(), checkpoint.tensors);
  return absl::OkStatus();
}

double Trainer::Seconds() const {
  return seconds_before_ + absl::ToDoubleSeconds(absl::Now() - started_);
}

bool Trainer::Due(int64_t interval, int64_t last) const {
  return interval > 0 && state_.frames() / interval > last / interval;
}

}  // namespace hivewire
