#include "policy/commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/collector.h"
#include "policy/config/overrides.h"
#include "policy/curve/chart.h"
#include "policy/curve/event_file.h"
#include "policy/evaluation.h"
#include "policy/normalizer.h"
#include "policy/run_folder.h"
#include "policy/track/svg.h"
#include "policy/trainer.h"

namespace hivewire {
namespace {

constexpr char kCurveTag[] = "charts/episodic_return";

absl::Status ApplyOverrides(const std::vector<std::string>& overrides, v1::LearnerConfig& config) {
  for (const std::string& assignment : overrides) {
    absl::Status status = ApplyOverride(assignment, config);
    if (!status.ok()) return Annotate(status, "--set " + assignment);
  }
  return ValidateConfig(config);
}

absl::StatusOr<Checkpoint> LoadCheckpoint(const RunFolder& folder, const std::string& which) {
  const CheckpointFolder checkpoints(folder.checkpoints());
  absl::StatusOr<std::string> path = checkpoints.Find(which);
  if (!path.ok() && which == "best") path = checkpoints.Find("last");
  if (!path.ok()) return path.status();
  return ReadCheckpoint(*path);
}

void PrintSpread(const char* what, absl::Span<const double> values) {
  const Spread spread = SpreadOf(values);
  std::printf("%-7s mean %.2f  std %.2f  min %.2f  max %.2f\n", what, spread.mean, spread.deviation,
              spread.low, spread.high);
}

}  // namespace

absl::Status Train(const TrainOptions& options, const std::function<bool()>& stop) {
  v1::LearnerConfig config;
  std::unique_ptr<Checkpoint> from;
  if (options.resume.empty()) {
    absl::StatusOr<v1::LearnerConfig> loaded = LoadConfig(options.sources);
    if (!loaded.ok()) return loaded.status();
    config = *std::move(loaded);
    if (absl::Status status = ValidateConfig(config); !status.ok()) return status;
  } else {
    absl::StatusOr<RunFolder> folder = RunFolder::Open(options.resume);
    if (!folder.ok()) return folder.status();
    absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(*folder, "last");
    if (!checkpoint.ok()) return checkpoint.status();
    from = std::make_unique<Checkpoint>(*std::move(checkpoint));
    config = from->state.config();
    absl::Status status = ApplyOverrides(options.sources.overrides, config);
    if (!status.ok()) return status;
  }

  absl::StatusOr<std::unique_ptr<Trainer>> trainer =
      Trainer::Create(config, options.reach, from.get());
  if (!trainer.ok()) return trainer.status();
  absl::StatusOr<RunFolder> folder = from != nullptr
                                         ? RunFolder::Open(options.resume)
                                         : RunFolder::Create(config, options.run_folder);
  if (!folder.ok()) return folder.status();
  if (from != nullptr) {
    if (absl::Status status = folder->WriteConfig(config); !status.ok()) return status;
  }
  std::printf("run %s\nrun folder %s\n", folder->id().c_str(), folder->path().c_str());
  std::fflush(stdout);

  if (absl::Status status = (*trainer)->Run(*folder, stop); !status.ok()) return status;
  if (config.output().tensorboard() && !stop()) Plot(folder->path()).IgnoreError();
  std::printf("%s at %lld frames; go on with --resume=%s, evaluate with: learner eval %s\n",
              stop() ? "stopped" : "finished", static_cast<long long>((*trainer)->frames()),
              folder->path().c_str(), folder->path().c_str());
  return absl::OkStatus();
}

absl::Status Eval(const EvalOptions& options, const std::function<bool()>& stop) {
  if (options.episodes < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--episodes is ", options.episodes, "; it can be 1 or more"));
  }
  absl::StatusOr<RunFolder> folder = RunFolder::Open(options.run);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(*folder, options.checkpoint);
  if (!checkpoint.ok()) return checkpoint.status();
  v1::LearnerConfig config = checkpoint->state.config();
  if (absl::Status status = ApplyOverrides(options.overrides, config); !status.ok()) return status;

  absl::StatusOr<std::unique_ptr<VectorEnv>> env =
      MakeEnv(config, std::min(config.evaluation().num_envs(), options.episodes), options.reach);
  if (!env.ok()) return env.status();
  absl::StatusOr<Problem> problem = MakeProblem(**env);
  if (!problem.ok()) return problem.status();
  absl::StatusOr<std::unique_ptr<Algorithm>> algorithm = MakeAlgorithm(config, *problem);
  if (!algorithm.ok()) return algorithm.status();
  if (absl::Status status = (*algorithm)->Load(checkpoint->tensors); !status.ok()) return status;
  std::unique_ptr<ObservationNormalizer> normalizer;
  if (config.normalization().observation()) {
    normalizer = std::make_unique<ObservationNormalizer>(problem->observation_dim,
                                                         config.normalization().observation_clip());
    absl::Status status = normalizer->moments().Load(kObservationMoments, checkpoint->tensors);
    if (!status.ok()) return status;
  }

  absl::StatusOr<Evaluation> evaluation =
      Evaluate(**env, **algorithm, problem->action, normalizer.get(), options.episodes,
               config.evaluation().seed(), stop);
  if (!evaluation.ok()) return evaluation.status();
  if (options.json) {
    std::printf("%s",
                EvaluationJson(*evaluation, config.env().id(), checkpoint->state.frames()).c_str());
    return absl::OkStatus();
  }
  std::printf("%s at %lld frames, %zu episodes\n", config.env().id().c_str(),
              static_cast<long long>(checkpoint->state.frames()), evaluation->returns.size());
  PrintSpread("return", evaluation->returns);
  PrintSpread("length", evaluation->lengths);
  return absl::OkStatus();
}

absl::Status Plot(const std::string& run) {
  absl::StatusOr<RunFolder> folder = RunFolder::Open(run);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::vector<ScalarPoint>> points = ReadScalars(folder->path(), kCurveTag);
  if (!points.ok()) return points.status();
  const std::string title = absl::StrCat(folder->id(), ": return of training episodes");
  std::printf("%s", DrawChart(title, *points).c_str());
  const std::string svg = DrawSvg(title, "frames", *points);
  if (svg.empty()) return absl::NotFoundError("no episode has ended yet: there is nothing to draw");
  return WriteFileAtomically(folder->learning_curve(), {svg});
}

}  // namespace hivewire
