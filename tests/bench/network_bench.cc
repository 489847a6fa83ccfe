// Stepping over a slow network: lane steps per second against delay, through proxies of our own on
// this machine. Prints a table, and with --json one object a line.
#include <cstdio>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/grpc_tuning.h"
#include "base/json.h"
#include "client/action_sampler.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "tests/bench/delaying_proxy.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::vector<std::string>, envs,
          std::vector<std::string>({"Ant-v5", "HalfCheetah-v5", "Humanoid-v5", "Hopper-v5"}),
          "Env ids.");
ABSL_FLAG(std::vector<std::string>, round_trips_ms, std::vector<std::string>({"0.2", "10", "50"}),
          "Of the network; without any there is a side of its own.");
ABSL_FLAG(double, bits_per_second, 1e9, "Of the network.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(int, rounds, 3, "Of which medians are taken.");
ABSL_FLAG(double, seconds, 1.5, "Of a turn.");
ABSL_FLAG(bool, json, false, "Print one JSON object a line.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");

namespace hivewire {
namespace {

constexpr int kActions = 64;  // different ones; then again from the first
constexpr int64_t kManySteps = 1 << 30;
constexpr int kMoreLanes = 16;  // times --num_envs, where many lanes hide the delay

// One way to step through one delay.
struct Side {
  std::string mode;
  double round_trip_ms = 0;
  int lanes = 0;
  std::unique_ptr<VectorEnv> env;
  std::vector<std::string> actions;
  std::unique_ptr<GroupStepper> stepper;
  std::vector<double> rates;
};

absl::StatusOr<Side> MakeSide(const std::string& address, const std::string& env_id,
                              const std::string& mode, double round_trip_ms, int lanes,
                              int groups) {
  Side side;
  side.mode = mode;
  side.round_trip_ms = round_trip_ms;
  side.lanes = lanes;
  VectorEnvOptions options;
  options.server = address;
  options.env_id = env_id;
  options.num_envs = lanes;
  auto env = VectorEnv::Make(options);
  if (!env.ok()) return env.status();
  side.env = *std::move(env);
  ActionSampler sampler(ActionSampler::Kind::kRandom, side.env->spec(), side.env->action_leaves(),
                        0);
  side.actions = SampleActions(sampler, *side.env, kActions);
  side.stepper = std::make_unique<GroupStepper>(*side.env, groups, side.actions);
  StepResult result;
  const absl::Status status = side.env->Reset(0, result);
  if (!status.ok()) return status;
  return side;
}

absl::Status Play(Side& side, bool keep) {
  const absl::Time begin = absl::Now();
  const auto done =
      side.stepper->Run(kManySteps, begin + absl::Seconds(absl::GetFlag(FLAGS_seconds)));
  if (!done.ok()) return done.status();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  if (keep) side.rates.push_back(static_cast<double>(*done) / seconds);
  return absl::OkStatus();
}

absl::Status MeasureEnv(const std::string& env_id,
                        const std::vector<std::pair<double, std::string>>& links) {
  const int lanes = absl::GetFlag(FLAGS_num_envs);
  std::vector<Side> sides;
  for (const auto& [round_trip_ms, address] : links) {
    for (const auto& [mode, num_envs, groups] :
         {std::tuple("lockstep", lanes, 1), std::tuple("two groups", lanes, 2),
          std::tuple("two groups of many lanes", kMoreLanes * lanes, 2)}) {
      auto side = MakeSide(address, env_id, mode, round_trip_ms, num_envs, groups);
      if (!side.ok()) return side.status();
      sides.push_back(*std::move(side));
    }
  }
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (int round = 0; round <= rounds; ++round) {
    for (size_t k = 0; k < sides.size(); ++k) {
      const size_t at = (static_cast<size_t>(round) + k) % sides.size();
      const absl::Status status = Play(sides[at], /*keep=*/round > 0);
      if (!status.ok()) return status;
    }
  }
  for (const Side& side : sides) {
    const double rate = Quantile(side.rates, 0.5);
    if (absl::GetFlag(FLAGS_json)) {
      std::puts(JsonObject()
                    .Add("env", env_id)
                    .Add("mode", side.mode)
                    .Add("lanes", side.lanes)
                    .Add("round_trip_ms", side.round_trip_ms)
                    .Add("lane_steps_per_s", rate)
                    .ToString()
                    .c_str());
    } else {
      absl::PrintF("%-15s %6.1f ms  %-25s %5d lanes %10.0f steps/s\n", env_id, side.round_trip_ms,
                   side.mode, side.lanes, rate);
    }
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

absl::Status Measure() {
  const auto server = ServerProcess::Start(absl::GetFlag(FLAGS_env_server));
  if (!server.ok()) return server.status();
  std::vector<std::pair<double, std::string>> links = {{0, (*server)->tcp_address()}};
  std::vector<std::unique_ptr<DelayingProxy>> proxies;
  for (const std::string& text : absl::GetFlag(FLAGS_round_trips_ms)) {
    double milliseconds = 0;
    if (!absl::SimpleAtod(text, &milliseconds) || !(milliseconds > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--round_trips_ms: \"", text, "\" is not a number above 0"));
    }
    auto proxy = DelayingProxy::Start((*server)->tcp_address(),
                                      {.round_trip = absl::Milliseconds(milliseconds),
                                       .bits_per_second = absl::GetFlag(FLAGS_bits_per_second)});
    if (!proxy.ok()) return proxy.status();
    links.emplace_back(milliseconds, (*proxy)->address());
    proxies.push_back(*std::move(proxy));
  }
  for (const std::string& env_id : absl::GetFlag(FLAGS_envs)) {
    const absl::Status status = MeasureEnv(env_id, links);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::SetProgramUsageMessage("network_bench: stepping against delay.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = hivewire::Measure();
  if (status.ok()) return 0;
  std::fprintf(stderr, "network_bench: %s\n", std::string(status.message()).c_str());
  return 1;
}
