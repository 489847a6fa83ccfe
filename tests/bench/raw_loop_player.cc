// The bare mj_step loop as a side of compare.py, over a recording of a pool's run.
//
// Usage: raw_loop_player RECORDING MODELS_FOLDER THREADS
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "tests/bench/player.h"
#include "tests/bench/raw_loop.h"

namespace hivewire {
namespace {

absl::Status Main(const std::string& path, const std::string& models, int threads) {
  const auto recording = ReadRecording(path);
  if (!recording.ok()) return recording.status();
  char error[1000] = "";
  const std::string xml = absl::StrCat(models, "/", recording->model);
  mjModel* model = mj_loadXML(xml.c_str(), nullptr, error, sizeof(error));
  if (model == nullptr) return absl::InvalidArgumentError(absl::StrCat(xml, ": ", error));
  // Lanes are a chain of steps each: no more threads can be busy.
  threads = std::clamp(threads, 1, recording->num_lanes);
  PlayTurns(JsonObject(), {"raw"}, absl::StrCat("MuJoCo ", mj_versionString()),
            [&](const std::string&) -> absl::StatusOr<Turn> {
              const absl::Time begin = absl::Now();
              const absl::Status status =
                  RunRawLoop(model, *recording, threads, recording->engine_version == mj_version());
              if (!status.ok()) return status;
              Turn turn;
              turn.lane_steps = recording->lane_steps();
              turn.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
              return turn;
            });
  mj_deleteModel(model);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: raw_loop_player RECORDING MODELS_FOLDER THREADS\n");
    return 1;
  }
  return hivewire::ExitStatus("raw_loop_player",
                              hivewire::Main(argv[1], argv[2], std::atoi(argv[3])));
}
