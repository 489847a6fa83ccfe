#include "policy/commands.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/checkpoint_choice.h"
#include "policy/curve/chart.h"
#include "policy/curve/event_file.h"
#include "policy/run_folder.h"
#include "policy/track/svg.h"
#include "policy/trained_policy.h"
#include "policy/trainer.h"
#include "policy/trainer_ranks.h"

namespace hivewire {
namespace {

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

absl::StatusOr<TrainingStart> Begin(const TrainOptions& options) {
  TrainingStart start;
  if (options.ranks.size > 1 && !options.load_from.empty()) {
    return absl::InvalidArgumentError("--load_from begins a run of one rank");
  }
  if (options.resume.empty()) {
    absl::StatusOr<v1::LearnerConfig> loaded = LoadConfig(options.sources);
    if (!loaded.ok()) return loaded.status();
    start.config = *std::move(loaded);
    v1::EnvConfig& env = *start.config.mutable_env();
    if (env.server().empty()) env.set_server(options.default_server);
    if (absl::Status status = ValidateConfig(start.config); !status.ok()) return status;
    return start;
  }
  absl::StatusOr<RunFolder> folder = RunFolder::Open(options.resume);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<Checkpoint> checkpoint = LastWholeCheckpoint(*folder);
  if (!checkpoint.ok()) return checkpoint.status();
  start.from = std::make_unique<Checkpoint>(*std::move(checkpoint));
  absl::StatusOr<v1::LearnerConfig> overridden =
      OverriddenConfig(*start.from, options.sources.overrides);
  if (!overridden.ok()) return overridden.status();
  start.config = *std::move(overridden);
  return start;
}

// The server that this program was told of, or nothing.
std::string OwnServer(const TrainOptions& options) {
  std::string server;
  for (absl::string_view assignment : options.sources.overrides) {
    if (absl::ConsumePrefix(&assignment, "env.server=")) server = std::string(assignment);
  }
  return server;
}

}  // namespace

absl::Status Train(const TrainOptions& options, const std::function<bool()>& stop) {
  std::unique_ptr<Ranks> ranks;
  if (options.ranks.size != 1 || options.ranks.rank != 0) {
    absl::StatusOr<std::unique_ptr<Ranks>> joined = JoinRanks(options.ranks);
    if (!joined.ok()) return joined.status();
    ranks = *std::move(joined);
  }
  const bool writes = options.ranks.rank == 0;
  absl::StatusOr<TrainingStart> start = writes ? Begin(options) : TrainingStart();
  if (ranks != nullptr) start = ShareStart(*ranks, std::move(start), OwnServer(options));
  if (!start.ok()) return start.status();
  const v1::LearnerConfig& config = start->config;

  std::unique_ptr<Checkpoint> weights;
  if (ranks == nullptr && !options.load_from.empty()) {
    if (start->from != nullptr) {
      return absl::InvalidArgumentError("--load_from begins a new run, --resume goes on with one");
    }
    absl::StatusOr<CheckpointChoice> choice = ChooseCheckpoint(options.load_from, "best", "");
    if (!choice.ok()) return choice.status();
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(choice->paths[0]);
    if (!checkpoint.ok()) return checkpoint.status();
    weights = std::make_unique<Checkpoint>(*std::move(checkpoint));
  }

  absl::StatusOr<std::unique_ptr<Trainer>> trainer =
      Trainer::Create(config, options.reach, start->from.get(), weights.get(), ranks.get());
  if (!trainer.ok()) return trainer.status();
  if (!writes) return (*trainer)->Run(std::nullopt, stop);
  absl::StatusOr<RunFolder> folder = start->from != nullptr
                                         ? RunFolder::Open(options.resume)
                                         : RunFolder::Create(config, options.run_folder);
  if (!folder.ok()) return folder.status();
  if (start->from != nullptr) {
    if (absl::Status status = folder->WriteConfig(config); !status.ok()) return status;
  }
  std::printf("run %s\nrun folder %s\n", folder->id().c_str(), folder->path().c_str());
  std::fflush(stdout);

  if (absl::Status status = (*trainer)->Run(*folder, stop); !status.ok()) return status;
  if ((*trainer)->frames() == 0) {
    std::printf("stopped before the first update: there is nothing to go on from\n");
    return absl::OkStatus();
  }
  if (!stop()) Plot(folder->path(), "").IgnoreError();
  std::printf("%s at %lld frames; go on with --resume=%s, evaluate with: learner eval %s\n",
              stop() ? "stopped" : "finished", static_cast<long long>((*trainer)->frames()),
              folder->path().c_str(), folder->path().c_str());
  return absl::OkStatus();
}

absl::Status Plot(const std::string& run, const std::string& runs) {
  absl::StatusOr<RunFolder> folder = run.empty() ? NewestRun(runs) : RunFolder::Open(run);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::vector<ScalarPoint>> points = ReadReturns(folder->path());
  if (!points.ok()) return points.status();
  const std::string title = absl::StrCat(folder->id(), ": return");
  std::printf("%s", DrawChart(title, *points).c_str());
  const std::string svg = DrawSvg(title, "frames", *points);
  if (svg.empty()) return absl::NotFoundError("no episode has ended yet: there is nothing to draw");
  return WriteFileAtomically(folder->learning_curve(), {svg});
}

}  // namespace hivewire
