// Our learner as a side of learner.py: a turn collects one update's steps from an env server in a
// child process, over a Unix socket, and learns from them.
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "policy/config/config.h"
#include "tests/bench/learning_loop.h"
#include "tests/bench/player.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, env_server, "bazel-bin/server/env_server", "The server's program.");
ABSL_FLAG(std::string, preset, "sb3", "Preset to start from.");
ABSL_FLAG(std::vector<std::string>, set, {}, "path=value of LearnerConfig, comma-separated.");

namespace hivewire {
namespace {

constexpr char kSide[] = "Hivewire";

absl::Status Run() {
  const auto server = ServerProcess::Start(absl::GetFlag(FLAGS_env_server));
  if (!server.ok()) return server.status();
  ConfigSources sources;
  sources.preset = absl::GetFlag(FLAGS_preset);
  sources.overrides = absl::GetFlag(FLAGS_set);
  sources.overrides.push_back(absl::StrCat("env.server=", (*server)->unix_address()));
  const auto config = LoadConfig(sources);
  if (!config.ok()) return config.status();
  // A policy that remembers does not travel.
  const bool travels = config->model().type() == "mlp";
  const auto loop = LearningLoop::Make(*config, travels ? Chooser::kPortable : Chooser::kLibTorch);
  if (!loop.ok()) return loop.status();
  PlayTurns(JsonObject(), {kSide}, "MuJoCo 3.17.0",
            [&](const std::string&) -> absl::StatusOr<Turn> {
              const absl::Time begin = absl::Now();
              const auto steps = (*loop)->Collect();
              if (!steps.ok()) return steps.status();
              const absl::Time collected = absl::Now();
              if (absl::Status status = (*loop)->Update(); !status.ok()) return status;
              const absl::Time end = absl::Now();
              Turn turn;
              turn.lane_steps = *steps;
              turn.seconds = absl::ToDoubleSeconds(end - begin);
              turn.update_seconds = absl::ToDoubleSeconds(end - collected);
              return turn;
            });
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("learner_player", hivewire::Run());
}
