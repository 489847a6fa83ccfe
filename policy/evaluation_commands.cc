// learner eval and learner record.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "policy/checkpoint_choice.h"
#include "policy/commands.h"
#include "policy/evaluation.h"
#include "policy/film.h"
#include "policy/track/event_writer.h"
#include "policy/trained_policy.h"
#include "policy/trajectory_keeper.h"

namespace hivewire {
namespace {

// Of the videos in TensorBoard.
constexpr FilmOptions kTensorBoardFilm = {.path = "", .size = 160, .max_frames = 400};

void PrintSpread(const char* what, absl::Span<const double> values) {
  const Spread spread = SpreadOf(values);
  std::printf("%-7s mean %.2f  std %.2f  min %.2f  max %.2f\n", what, spread.mean, spread.deviation,
              spread.low, spread.high);
}

void Print(const Evaluation& evaluation, const EvaluationLabel& label) {
  std::printf("%s at %lld frames, %zu episodes, %s\n", label.env_id.c_str(),
              static_cast<long long>(label.frames), evaluation.returns.size(),
              label.checkpoint.c_str());
  PrintSpread("return", evaluation.returns);
  PrintSpread("length", evaluation.lengths);
  std::printf("success %.0f %%\n", 100 * SpreadOf(evaluation.successes).mean);
}

absl::StatusOr<Evaluation> Play(TrainedPolicy& policy, EvaluationOptions options,
                                const std::function<bool()>& stop) {
  options.seed = policy.config.evaluation().seed();
  options.success_return = policy.config.evaluation().success_return();
  return Evaluate(*policy.env, *policy.observations,
                  {*policy.algorithm, policy.action, policy.normalizer.get()}, options, stop);
}

// The figures, and the video at `gif`, as what the run reached at these frames.
absl::Status ShowInTensorBoard(const Evaluation& evaluation, int64_t frames, const std::string& gif,
                               EventWriter& events) {
  absl::Status status =
      events.AddScalars(frames, {{"test/episodic_return", SpreadOf(evaluation.returns).mean},
                                 {"test/episodic_length", SpreadOf(evaluation.lengths).mean},
                                 {"test/success_rate", SpreadOf(evaluation.successes).mean}});
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> bytes = ReadFile(gif);
  if (!bytes.ok()) return bytes.status();
  return events.AddGif(frames, "test/episode",
                       {*bytes, kTensorBoardFilm.size, kTensorBoardFilm.size});
}

// One evaluation of one checkpoint after the other.
class Evaluator {
 public:
  Evaluator(const EvalOptions& options, std::optional<RunFolder> folder,
            const std::function<bool()>& stop)
      : options_(options), folder_(std::move(folder)), stop_(stop) {}

  absl::Status Open() {
    if (!options_.tensorboard) return absl::OkStatus();
    if (!folder_.has_value()) {
      return absl::InvalidArgumentError("--tensorboard: these checkpoints lie in no run folder");
    }
    std::error_code error;
    std::filesystem::create_directories(folder_->videos(), error);
    absl::StatusOr<std::unique_ptr<EventWriter>> events = EventWriter::Create(folder_->path());
    if (!events.ok()) return events.status();
    events_ = *std::move(events);
    return absl::OkStatus();
  }

  absl::Status Run(const std::string& path) {
    absl::StatusOr<TrainedPolicy> policy = LoadTrainedPolicy(
        path, options_.policy.overrides, options_.episodes, options_.policy.reach);
    if (!policy.ok()) return policy.status();
    EvaluationOptions play = {.episodes = options_.episodes, .stochastic = options_.stochastic};
    std::vector<std::unique_ptr<Film>> films;
    for (const FilmOptions& wanted : Films(policy->frames)) {
      auto film = Film::Create(*policy->env, wanted);
      if (!film.ok()) return film.status();
      play.spectators.push_back(film->get());
      films.push_back(*std::move(film));
    }
    TrajectoryKeeper keeper(policy->env->num_envs(), ActionLeaf(*policy->env));
    if (!options_.save_traj.empty()) play.spectators.push_back(&keeper);

    absl::StatusOr<Evaluation> evaluation = Play(*policy, play, stop_);
    if (!evaluation.ok()) return evaluation.status();
    absl::Status status;
    for (const std::unique_ptr<Film>& film : films) {
      if (status.ok()) status = film->Finish();
    }
    if (status.ok() && !options_.save_traj.empty()) status = keeper.Write(options_.save_traj);
    if (status.ok() && events_ != nullptr) {
      status =
          ShowInTensorBoard(*evaluation, policy->frames, folder_->video(policy->frames), *events_);
    }
    if (!status.ok()) return status;
    const EvaluationLabel label = {policy->config.env().id(), policy->frames, path,
                                   options_.stochastic};
    json_.push_back(EvaluationJson(*evaluation, label));
    if (!options_.json) Print(*evaluation, label);
    std::fflush(stdout);
    return absl::OkStatus();
  }

  const std::vector<std::string>& json() const { return json_; }

 private:
  std::vector<FilmOptions> Films(int64_t frames) const {
    std::vector<FilmOptions> films;
    if (!options_.video.empty()) films.push_back({.path = options_.video});
    if (events_ != nullptr) {
      films.push_back(kTensorBoardFilm);
      films.back().path = folder_->video(frames);
    }
    return films;
  }

  const EvalOptions& options_;
  const std::optional<RunFolder> folder_;
  const std::function<bool()>& stop_;
  std::unique_ptr<EventWriter> events_;
  std::vector<std::string> json_;
};

}  // namespace

absl::Status Eval(const EvalOptions& options, const std::function<bool()>& stop) {
  if (options.episodes < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--episodes is ", options.episodes, "; it can be 1 or more"));
  }
  absl::StatusOr<CheckpointChoice> choice =
      ChooseCheckpoints(options.policy.target, options.policy.checkpoint, options.policy.runs);
  if (!choice.ok()) return choice.status();
  const bool one_file = !options.save_traj.empty() || !options.video.empty();
  if (one_file && choice->paths.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--save_traj and --video are of one checkpoint; these are ", choice->paths.size()));
  }
  Evaluator evaluator(options, choice->folder, stop);
  if (absl::Status status = evaluator.Open(); !status.ok()) return status;
  for (const std::string& path : choice->paths) {
    if (absl::Status status = evaluator.Run(path); !status.ok()) return status;
  }
  if (options.json) {
    const bool list = choice->paths.size() > 1 || options.policy.checkpoint == "all";
    std::printf("%s%s%s\n", list ? "[" : "", absl::StrJoin(evaluator.json(), ",\n").c_str(),
                list ? "]" : "");
  }
  return absl::OkStatus();
}

absl::Status Record(const RecordOptions& options, const std::function<bool()>& stop) {
  absl::StatusOr<CheckpointChoice> choice =
      ChooseCheckpoint(options.policy.target, options.policy.checkpoint, options.policy.runs);
  if (!choice.ok()) return choice.status();
  absl::StatusOr<TrainedPolicy> policy =
      LoadTrainedPolicy(choice->paths[0], options.policy.overrides, 1, options.policy.reach);
  if (!policy.ok()) return policy.status();
  const std::string folder = choice->folder.has_value() ? choice->folder->path() : ".";
  const std::string path = options.video.empty() ? folder + "/episode.gif" : options.video;
  absl::StatusOr<std::unique_ptr<Film>> film =
      Film::Create(*policy->env, {.path = path,
                                  .camera = options.camera,
                                  .size = options.size,
                                  .max_frames = options.max_frames});
  if (!film.ok()) return film.status();
  const absl::Status played =
      Play(*policy, {.episodes = 1, .stochastic = options.stochastic, .spectators = {film->get()}},
           [&] { return stop() || (*film)->full(); })
          .status();
  if (!played.ok() && !(absl::IsCancelled(played) && (*film)->full())) return played;
  if (absl::Status status = (*film)->Finish(); !status.ok()) return status;
  std::printf("%s\n", path.c_str());
  return absl::OkStatus();
}

}  // namespace hivewire
