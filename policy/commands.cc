#include "policy/commands.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/checkpoint_choice.h"
#include "policy/curve/chart.h"
#include "policy/curve/event_file.h"
#include "policy/run_folder.h"
#include "policy/track/svg.h"
#include "policy/trained_policy.h"
#include "policy/trainer.h"

namespace hivewire {
namespace {

constexpr char kCurveTag[] = "charts/episodic_return";

// What is wrong with newer checkpoints than this one is said.
absl::StatusOr<Checkpoint> LastWholeCheckpoint(const RunFolder& folder) {
  const CheckpointFolder checkpoints(folder.checkpoints());
  if (const auto last = checkpoints.Find("last"); !last.ok()) return last.status();
  std::vector<std::string> paths = checkpoints.All();
  absl::Status damaged;
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(*path);
    if (checkpoint.ok()) return checkpoint;
    std::fprintf(stderr, "learner: %s; an earlier checkpoint is tried\n",
                 std::string(checkpoint.status().message()).c_str());
    damaged.Update(checkpoint.status());
  }
  return damaged;
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
    absl::StatusOr<Checkpoint> checkpoint = LastWholeCheckpoint(*folder);
    if (!checkpoint.ok()) return checkpoint.status();
    from = std::make_unique<Checkpoint>(*std::move(checkpoint));
    absl::StatusOr<v1::LearnerConfig> overridden =
        OverriddenConfig(*from, options.sources.overrides);
    if (!overridden.ok()) return overridden.status();
    config = *std::move(overridden);
  }

  std::unique_ptr<Checkpoint> weights;
  if (!options.load_from.empty()) {
    if (from != nullptr) {
      return absl::InvalidArgumentError("--load_from begins a new run, --resume goes on with one");
    }
    absl::StatusOr<CheckpointChoice> choice = ChooseCheckpoint(options.load_from, "best", "");
    if (!choice.ok()) return choice.status();
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(choice->paths[0]);
    if (!checkpoint.ok()) return checkpoint.status();
    weights = std::make_unique<Checkpoint>(*std::move(checkpoint));
  }

  absl::StatusOr<std::unique_ptr<Trainer>> trainer =
      Trainer::Create(config, options.reach, from.get(), weights.get());
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
  if (!stop()) Plot(folder->path(), "").IgnoreError();
  std::printf("%s at %lld frames; go on with --resume=%s, evaluate with: learner eval %s\n",
              stop() ? "stopped" : "finished", static_cast<long long>((*trainer)->frames()),
              folder->path().c_str(), folder->path().c_str());
  return absl::OkStatus();
}

absl::Status Plot(const std::string& run, const std::string& runs) {
  absl::StatusOr<RunFolder> folder = run.empty() ? NewestRun(runs) : RunFolder::Open(run);
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
