#include "policy/commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/video_writer.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/curve/chart.h"
#include "policy/curve/event_file.h"
#include "policy/evaluation.h"
#include "policy/run_folder.h"
#include "policy/track/svg.h"
#include "policy/trained_policy.h"
#include "policy/trainer.h"

namespace hivewire {
namespace {

constexpr char kCurveTag[] = "charts/episodic_return";

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
    if (config.env().server().empty()) config.mutable_env()->set_server(options.default_server);
    if (absl::Status status = ValidateConfig(config); !status.ok()) return status;
  } else {
    absl::StatusOr<RunFolder> folder = RunFolder::Open(options.resume);
    if (!folder.ok()) return folder.status();
    absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(*folder, "last");
    if (!checkpoint.ok()) return checkpoint.status();
    from = std::make_unique<Checkpoint>(*std::move(checkpoint));
    absl::StatusOr<v1::LearnerConfig> overridden =
        OverriddenConfig(*from, options.sources.overrides);
    if (!overridden.ok()) return overridden.status();
    config = *std::move(overridden);
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
  absl::StatusOr<TrainedPolicy> policy = LoadTrainedPolicy(
      *folder, options.checkpoint, options.overrides, options.episodes, options.reach);
  if (!policy.ok()) return policy.status();
  absl::StatusOr<Evaluation> evaluation = Evaluate(
      *policy->env, *policy->observations, *policy->algorithm, policy->action,
      policy->normalizer.get(), options.episodes, policy->config.evaluation().seed(), stop);
  if (!evaluation.ok()) return evaluation.status();
  const std::string& env_id = policy->config.env().id();
  if (options.json) {
    std::printf("%s", EvaluationJson(*evaluation, env_id, policy->frames).c_str());
    return absl::OkStatus();
  }
  std::printf("%s at %lld frames, %zu episodes\n", env_id.c_str(),
              static_cast<long long>(policy->frames), evaluation->returns.size());
  PrintSpread("return", evaluation->returns);
  PrintSpread("length", evaluation->lengths);
  return absl::OkStatus();
}

absl::Status Record(const RecordOptions& options, const std::function<bool()>& stop) {
  if (options.max_frames < 1 || options.size < 16 || options.size > 2048) {
    return absl::InvalidArgumentError(absl::StrCat("--max_frames is ", options.max_frames,
                                                   " (1 or more), --size is ", options.size,
                                                   " (16 … 2048)"));
  }
  absl::StatusOr<RunFolder> folder = RunFolder::Open(options.run);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<TrainedPolicy> policy =
      LoadTrainedPolicy(*folder, options.checkpoint, options.overrides, 1, options.reach);
  if (!policy.ok()) return policy.status();
  VectorEnv& env = *policy->env;
  const std::string path = options.video.empty() ? folder->path() + "/episode.gif" : options.video;
  const double render_fps = env.spec().render_fps();
  absl::StatusOr<std::unique_ptr<VideoWriter>> video =
      VideoWriter::Create(path, {options.size, options.size, render_fps > 0 ? render_fps : 30});
  if (!video.ok()) return video.status();

  std::vector<float> observation(static_cast<size_t>(policy->observations->dim()));
  std::vector<float> memory(static_cast<size_t>(policy->algorithm->memory_width()));
  std::vector<char> action(policy->action.row_bytes());
  StepResult result;
  absl::Status status = env.Reset(policy->config.evaluation().seed(), result);
  for (int frame = 0; status.ok() && frame < options.max_frames && !stop(); ++frame) {
    absl::StatusOr<v1::RenderResponse> image =
        env.Render(0, options.camera, options.size, options.size);
    if (!image.ok()) return image.status();
    if (status = (*video)->Add(image->image()); !status.ok()) break;
    if (!result.episodes.empty() || !result.faults.empty()) break;
    status = policy->observations->Show(result.env_ids, result.first, result.observations,
                                        absl::MakeSpan(observation));
    if (!status.ok()) break;
    if (policy->normalizer != nullptr) policy->normalizer->Normalize(absl::MakeSpan(observation));
    status =
        policy->algorithm->ActGreedily(observation, absl::MakeSpan(memory), absl::MakeSpan(action));
    if (status.ok()) status = env.Step(absl::MakeConstSpan(action), result);
  }
  if (status.ok()) status = (*video)->Finish();
  if (status.ok()) std::printf("%s\n", path.c_str());
  return status;
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
