// Stepping and rollouts over a slow network: lane steps per second against delay, through proxies
// of our own on this machine. Prints a table, and with --json one object a line.
#include <cstdio>
#include <iterator>
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
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/json.h"
#include "client/action_sampler.h"
#include "client/rollout_client.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "tests/bench/bench_policy.h"
#include "tests/bench/delaying_proxy.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::vector<std::string>, envs,
          std::vector<std::string>({"Ant-v5", "HalfCheetah-v5", "Humanoid-v5", "Hopper-v5"}),
          "Env ids.");
ABSL_FLAG(std::vector<std::string>, round_trips_ms, std::vector<std::string>({"0.2", "10", "50"}),
          "Of the network; without any there is a side of its own.");
ABSL_FLAG(double, bits_per_second, 1e9, "Of the network.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(int, fragment_length, 32, "Steps of a fragment, where the server runs the policy.");
ABSL_FLAG(int, rounds, 3, "Of which medians are taken.");
ABSL_FLAG(double, seconds, 1.5, "Of a turn.");
ABSL_FLAG(bool, json, false, "Print one JSON object a line.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");

namespace hivewire {
namespace {

constexpr int kActions = 64;  // different ones; then again from the first
constexpr int64_t kManySteps = 1 << 30;
constexpr int kMoreLanes = 16;  // times --num_envs, where many lanes hide the delay

// One way to have experience through one delay.
class Side {
 public:
  Side(std::string mode, double round_trip_ms, int lanes)
      : mode(std::move(mode)), round_trip_ms(round_trip_ms), lanes(lanes) {}
  virtual ~Side() = default;

  // Lane steps per second.
  virtual absl::StatusOr<double> Play(absl::Duration turn) = 0;

  const std::string mode;
  const double round_trip_ms;
  const int lanes;
  std::vector<double> rates;
};

VectorEnvOptions OptionsFor(const std::string& address, const std::string& env_id, int lanes) {
  VectorEnvOptions options;
  options.server = address;
  options.env_id = env_id;
  options.num_envs = lanes;
  return options;
}

class SteppingSide : public Side {
 public:
  using Side::Side;

  static absl::StatusOr<std::unique_ptr<Side>> Make(const std::string& address,
                                                    const std::string& env_id,
                                                    const std::string& mode, double round_trip_ms,
                                                    int lanes, int groups) {
    auto env = VectorEnv::Make(OptionsFor(address, env_id, lanes));
    if (!env.ok()) return env.status();
    auto side = std::make_unique<SteppingSide>(mode, round_trip_ms, lanes);
    side->env_ = *std::move(env);
    ActionSampler sampler(ActionSampler::Kind::kRandom, side->env_->spec(),
                          side->env_->action_leaves(), 0);
    side->actions_ = SampleActions(sampler, *side->env_, kActions);
    side->stepper_ = std::make_unique<GroupStepper>(*side->env_, groups, side->actions_);
    StepResult result;
    const absl::Status status = side->env_->Reset(0, result);
    if (!status.ok()) return status;
    return side;
  }

  absl::StatusOr<double> Play(absl::Duration turn) override {
    const absl::Time begin = absl::Now();
    const auto done = stepper_->Run(kManySteps, begin + turn);
    if (!done.ok()) return done.status();
    return static_cast<double>(*done) / absl::ToDoubleSeconds(absl::Now() - begin);
  }

 private:
  std::unique_ptr<VectorEnv> env_;
  std::vector<std::string> actions_;
  std::unique_ptr<GroupStepper> stepper_;
};

// The policy is on the server, and fragments come.
class RolloutSide : public Side {
 public:
  using Side::Side;

  static absl::StatusOr<std::unique_ptr<Side>> Make(const std::string& address,
                                                    const std::string& env_id, double round_trip_ms,
                                                    int lanes) {
    auto client = RolloutClient::Create(
        address, {}, PoolRequest(OptionsFor(address, env_id, lanes), static_cast<uint32_t>(lanes)));
    if (!client.ok()) return client.status();
    auto side = std::make_unique<RolloutSide>("rollouts", round_trip_ms, lanes);
    side->client_ = *std::move(client);
    const auto policy = BenchPolicy(side->client_->pool().spec());
    if (!policy.ok()) return policy.status();
    const auto published = side->client_->Publish(*policy);
    if (!published.ok()) return published.status();
    return side;
  }

  // From the first fragment, which comes from a standing start, to the first one after the turn.
  absl::StatusOr<double> Play(absl::Duration turn) override {
    CollectOptions options;
    options.fragment_length = static_cast<uint32_t>(absl::GetFlag(FLAGS_fragment_length));
    client_->Collect(options);
    absl::Time begin, now;
    double steps = 0;
    do {
      const auto fragment = client_->Next(absl::InfiniteFuture());
      if (!fragment.ok()) return fragment.status();
      now = absl::Now();
      if (begin == absl::Time()) {
        begin = now;
        continue;
      }
      steps += static_cast<double>(fragment->length() * fragment->lanes());
    } while (now - begin < turn);
    client_->Cancel();
    return steps / absl::ToDoubleSeconds(now - begin);
  }

 private:
  std::unique_ptr<RolloutClient> client_;
};

absl::StatusOr<std::vector<std::unique_ptr<Side>>> SidesOf(const std::string& env_id,
                                                           const std::string& address,
                                                           double round_trip_ms) {
  const int lanes = absl::GetFlag(FLAGS_num_envs);
  std::vector<std::unique_ptr<Side>> sides;
  for (const auto& [mode, num_envs, groups] :
       {std::tuple("lockstep", lanes, 1), std::tuple("two groups", lanes, 2),
        std::tuple("two groups of many lanes", kMoreLanes * lanes, 2)}) {
    auto side = SteppingSide::Make(address, env_id, mode, round_trip_ms, num_envs, groups);
    if (!side.ok()) return side.status();
    sides.push_back(*std::move(side));
  }
  auto side = RolloutSide::Make(address, env_id, round_trip_ms, lanes);
  if (!side.ok()) return side.status();
  sides.push_back(*std::move(side));
  return sides;
}

absl::Status MeasureEnv(const std::string& env_id,
                        const std::vector<std::pair<double, std::string>>& links) {
  std::vector<std::unique_ptr<Side>> sides;
  for (const auto& [round_trip_ms, address] : links) {
    auto more = SidesOf(env_id, address, round_trip_ms);
    if (!more.ok()) return more.status();
    std::move(more->begin(), more->end(), std::back_inserter(sides));
  }
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (int round = 0; round <= rounds; ++round) {
    for (size_t k = 0; k < sides.size(); ++k) {
      Side& side = *sides[(static_cast<size_t>(round) + k) % sides.size()];
      const auto rate = side.Play(absl::Seconds(absl::GetFlag(FLAGS_seconds)));
      if (!rate.ok()) return rate.status();
      if (round > 0) side.rates.push_back(*rate);
    }
  }
  for (const auto& played : sides) {
    const Side& side = *played;
    const double rate = Median(side.rates);
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
  const auto server =
      ServerProcess::Start(absl::GetFlag(FLAGS_env_server), {"--render=false", "--allow_rollouts"});
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
  absl::SetProgramUsageMessage("network_bench: stepping and rollouts against delay.");
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("network_bench", hivewire::Measure());
}
