// Our sides of compare.py: a pool in this process and a server in a child process over a Unix
// socket, each in lockstep and with two groups in flight. Writes the actions that all sides take,
// and a recording of the pool's run for the bare loop.
#include <mujoco/mujoco.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "client/action_sampler.h"
#include "client/inproc.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"
#include "tests/bench/player.h"
#include "tests/bench/recorder.h"
#include "tests/bench/round_trip.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, env, "Ant-v5", "Env id; its task must be nothing but steps of the engine.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(double, seconds, 1, "About as long as a turn of the in-process pool takes.");
ABSL_FLAG(uint64_t, seed, 0, "Of the episodes and of the actions.");
ABSL_FLAG(std::string, folder, "", "Where to write `actions` (float32) and `recording`.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");

namespace hivewire {
namespace {

constexpr int kCalibrationSteps = 50;
constexpr int kCalibrations = 4;
constexpr int kMostSteps = 50000;  // actions are held in memory
constexpr int kRoundTripsATurn = 500;

struct Way {
  std::unique_ptr<VectorEnv> env;
  std::unique_ptr<RoundTrip> round_trip;                // of one lane
  std::vector<std::unique_ptr<GroupStepper>> steppers;  // by groups − 1
};

class HivewirePlayer {
 public:
  explicit HivewirePlayer(Registry registry)
      : registry_(std::move(registry)),
        workers_(static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))) {}

  absl::Status Prepare(const std::string& unix_address) {
    const std::string folder = absl::GetFlag(FLAGS_folder);
    auto inproc = Open("inproc:", InprocCarriers(registry_, workers_));
    auto unix_way = Open(unix_address, GrpcCarriers());
    if (!inproc.ok()) return inproc.status();
    if (!unix_way.ok()) return unix_way.status();
    ways_.emplace_back("inproc", *std::move(inproc));
    ways_.emplace_back("unix", *std::move(unix_way));
    absl::Status status = MakeActions(*ways_[0].second.env);
    if (status.ok()) status = WriteActions(absl::StrCat(folder, "/actions"));
    if (status.ok()) status = MakeRecording(absl::StrCat(folder, "/recording"));
    for (auto& [name, way] : ways_) {
      for (int groups = 1; groups <= std::min(2, way.env->num_envs()); ++groups) {
        way.steppers.push_back(std::make_unique<GroupStepper>(*way.env, groups, actions_));
        sides_.push_back(absl::StrCat(name, " ", groups));
      }
    }
    return status;
  }

  absl::StatusOr<Turn> Play(const std::string& side) {
    for (auto& [name, way] : ways_) {
      for (size_t k = 0; k < way.steppers.size(); ++k) {
        if (side == absl::StrCat(name, " ", k + 1)) return Play(way, *way.steppers[k]);
      }
    }
    return absl::InvalidArgumentError(absl::StrCat("no side ", side));
  }

  const std::vector<std::string>& sides() const { return sides_; }
  int num_steps() const { return static_cast<int>(actions_.size()); }
  size_t action_bytes() const { return ways_[0].second.env->action_bytes(); }

 private:
  absl::StatusOr<Way> Open(const std::string& address, const CarrierFactory& factory) {
    VectorEnvOptions options;
    options.server = address;
    options.env_id = absl::GetFlag(FLAGS_env);
    options.num_envs = absl::GetFlag(FLAGS_num_envs);
    Way way;
    auto env = VectorEnv::Make(options, factory);
    if (!env.ok()) return env.status();
    way.env = *std::move(env);
    if (options.num_envs > 1) return way;
    auto round_trip = RoundTrip::Make(options, factory, absl::GetFlag(FLAGS_seed));
    if (!round_trip.ok()) return round_trip.status();
    way.round_trip = *std::move(round_trip);
    return way;
  }

  // As many steps as fill a turn.
  absl::Status MakeActions(VectorEnv& env) {
    const uint64_t seed = absl::GetFlag(FLAGS_seed);
    ActionSampler sampler(ActionSampler::Kind::kRandom, env.spec(), env.action_leaves(), seed);
    actions_ = SampleActions(sampler, env, kCalibrationSteps);
    StepResult result;
    const absl::Status status = env.Reset(seed, result);
    if (!status.ok()) return status;
    GroupStepper stepper(env, 1, actions_);
    // The first times are those of a cold pool, or of a busy machine.
    double seconds = std::numeric_limits<double>::infinity();
    for (int k = 0; k < kCalibrations; ++k) {
      const absl::Time begin = absl::Now();
      const auto done = stepper.Run(kCalibrationSteps);
      if (!done.ok()) return done.status();
      seconds = std::min(seconds, absl::ToDoubleSeconds(absl::Now() - begin));
    }
    const int steps =
        static_cast<int>(std::clamp(absl::GetFlag(FLAGS_seconds) / seconds * kCalibrationSteps,
                                    1.0 * kCalibrationSteps, 1.0 * kMostSteps));
    for (std::string& step : SampleActions(sampler, env, steps - kCalibrationSteps))
      actions_.push_back(std::move(step));
    return absl::OkStatus();
  }

  absl::Status WriteActions(const std::string& path) const {
    std::ofstream out(path, std::ios::binary);
    for (const std::string& step : actions_) out << step;
    out.flush();
    return out ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
  }

  absl::Status MakeRecording(const std::string& path) {
    const auto task = registry_.Make(absl::GetFlag(FLAGS_env), {});
    if (!task.ok()) return task.status();
    v1::CreatePoolRequest request;
    request.set_env_id(absl::GetFlag(FLAGS_env));
    request.set_num_envs(static_cast<uint32_t>(absl::GetFlag(FLAGS_num_envs)));
    auto spec = PoolSpec::Make(*task, request);
    if (!spec.ok()) return spec.status();
    const auto recording = Record(*std::move(spec), workers_, absl::GetFlag(FLAGS_seed), actions_);
    if (!recording.ok()) return recording.status();
    return WriteRecording(*recording, path);
  }

  absl::StatusOr<Turn> Play(Way& way, GroupStepper& stepper) {
    StepResult result;
    absl::Status status = way.env->Reset(absl::GetFlag(FLAGS_seed), result);
    if (!status.ok()) return status;
    const absl::Time begin = absl::Now();
    const auto lane_steps = stepper.Run(num_steps());
    if (!lane_steps.ok()) return lane_steps.status();
    Turn turn;
    turn.lane_steps = *lane_steps;
    turn.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    if (way.round_trip == nullptr) return turn;
    RoundTrip& trip = *way.round_trip;
    const size_t before = trip.total_seconds().size();
    status = trip.Run(kRoundTripsATurn, /*keep=*/true);
    if (!status.ok()) return status;
    const auto last = static_cast<ptrdiff_t>(before);
    turn.round_trip_p50 = Median({trip.total_seconds().begin() + last, trip.total_seconds().end()});
    turn.round_trip_net_p50 = Median({trip.net_seconds().begin() + last, trip.net_seconds().end()});
    return turn;
  }

  const Registry registry_;
  Workers workers_;
  std::vector<std::pair<std::string, Way>> ways_;  // inproc first
  std::vector<std::string> actions_;               // by step
  std::vector<std::string> sides_;
};

absl::Status Main() {
  const auto server = ServerProcess::Start(absl::GetFlag(FLAGS_env_server));
  if (!server.ok()) return server.status();
  auto registry = Registry::Builtin();
  if (!registry.ok()) return registry.status();
  HivewirePlayer player(*std::move(registry));
  const absl::Status status = player.Prepare((*server)->unix_address());
  if (!status.ok()) return status;
  JsonObject ready;
  ready.Add("steps", player.num_steps())
      .Add("action_elements", static_cast<uint64_t>(player.action_bytes() / sizeof(float)));
  PlayTurns(std::move(ready), player.sides(), absl::StrCat("MuJoCo ", mj_versionString()),
            [&](const std::string& side) { return player.Play(side); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("hivewire_player", hivewire::Main());
}
