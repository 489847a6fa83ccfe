// Our sides of the pixel bench: one Ant lane of a server, stepped and drawn at 84x84 over a Unix
// socket, as Gymnasium draws it and in the fastest way that we offer.
#include <mujoco/mujoco.h>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "client/action_sampler.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "tests/bench/player.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(double, seconds, 2, "Of a turn.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");

namespace hivewire {
namespace {

constexpr uint32_t kSize = 84;  // pixels
constexpr int kActions = 64;
constexpr char kDefault[] = "Hivewire, Gymnasium's image";
constexpr char kFast[] = "Hivewire, without shadows, reflections and multisampling";

absl::StatusOr<Turn> Play(VectorEnv& env, const std::vector<std::string>& actions, bool fast) {
  v1::RenderRequest request;
  request.set_width(kSize);
  request.set_height(kSize);
  request.set_without_shadows(fast);
  request.set_without_reflections(fast);
  request.set_without_multisampling(fast);
  StepResult result;
  absl::Status status = env.Reset(0, result);
  Turn turn;
  const absl::Time begin = absl::Now();
  const absl::Time end = begin + absl::Seconds(absl::GetFlag(FLAGS_seconds));
  while (status.ok() && absl::Now() < end) {
    status = env.Step(actions[static_cast<size_t>(turn.lane_steps++ % kActions)], result);
    if (status.ok()) status = env.Render(0, request).status();
  }
  if (!status.ok()) return status;
  turn.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  return turn;
}

absl::Status Main() {
  const auto server = ServerProcess::Start(absl::GetFlag(FLAGS_env_server), {"--render=true"});
  if (!server.ok()) return server.status();
  VectorEnvOptions options;
  options.server = (*server)->unix_address();
  options.env_id = "Ant-v5";
  const auto env = VectorEnv::Make(options);
  if (!env.ok()) return env.status();
  ActionSampler sampler(ActionSampler::Kind::kRandom, (*env)->spec(), (*env)->action_leaves(), 0);
  const auto actions = SampleActions(sampler, **env, kActions);
  // Says whether there is a renderer at all.
  const auto first = Play(**env, actions, true);
  if (!first.ok()) return first.status();
  PlayTurns(JsonObject(), {kDefault, kFast}, absl::StrCat("MuJoCo ", mj_versionString()),
            [&](const std::string& side) { return Play(**env, actions, side == kFast); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("pixel_player", hivewire::Main());
}
