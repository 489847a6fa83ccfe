// hivectl bench: how fast a server steps an env for this client.
#include <algorithm>
#include <ostream>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/json.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/connection_flags.h"
#include "client/stepping.h"

namespace hivewire {
namespace {

constexpr int kActions = 64;  // different ones; then again from the first
constexpr int kRoundTrips = 1000;
constexpr int kManySteps = 1 << 30;  // the clock ends the run

absl::StatusOr<double> StepsPerSecond(VectorEnv& env, const std::vector<std::string>& actions,
                                      int groups, double seconds) {
  StepResult result;
  const absl::Status status = env.Reset(0, result);
  if (!status.ok()) return status;
  GroupStepper stepper(env, groups, actions);
  const auto warm_up = stepper.Run(kManySteps, absl::Now() + absl::Seconds(0.2 * seconds));
  if (!warm_up.ok()) return warm_up.status();
  const absl::Time begin = absl::Now();
  const auto steps = stepper.Run(kManySteps, begin + absl::Seconds(seconds));
  if (!steps.ok()) return steps.status();
  return static_cast<double>(*steps) / absl::ToDoubleSeconds(absl::Now() - begin);
}

absl::StatusOr<std::vector<double>> RoundTrips(const Arguments& arguments) {
  const auto env = MakeEnv(arguments, /*num_envs=*/1);
  if (!env.ok()) return env.status();
  auto sampler = MakeSampler(arguments, **env);
  if (!sampler.ok()) return sampler.status();
  StepResult result;
  const absl::Status status = (*env)->Reset(0, result);
  if (!status.ok()) return status;
  const auto actions = SampleActions(*sampler, **env, kActions);
  auto warm_up = TimeSteps(**env, actions, kActions);
  if (!warm_up.ok()) return warm_up.status();
  return TimeSteps(**env, actions, kRoundTrips);
}

absl::Status Bench(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const int num_envs = arguments.Count("num_envs");
  const int groups = arguments.Has("groups") ? arguments.Count("groups") : std::min(2, num_envs);
  if (groups > num_envs) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--groups: %d are more than the %d lanes", groups, num_envs));
  }
  const auto env = MakeEnv(arguments, num_envs);
  if (!env.ok()) return env.status();
  auto sampler = MakeSampler(arguments, **env);
  if (!sampler.ok()) return sampler.status();
  const auto rate = StepsPerSecond(**env, SampleActions(*sampler, **env, kActions), groups,
                                   arguments.Number("seconds"));
  if (!rate.ok()) return rate.status();
  const auto trips = RoundTrips(arguments);
  if (!trips.ok()) return trips.status();
  const double p50 = 1e6 * Median(*trips);
  const double p99 = 1e6 * Quantile(*trips, 0.99);
  if (arguments.Switch("json")) {
    context.out << JsonObject()
                       .Add("env", (*env)->spec().id())
                       .Add("server", ServerFromFlags())
                       .Add("num_envs", num_envs)
                       .Add("groups", groups)
                       .Add("steps_per_s", *rate)
                       .Add("round_trip_p50_us", p50)
                       .Add("round_trip_p99_us", p99)
                       .ToString()
                << '\n';
    return absl::OkStatus();
  }
  context.out << absl::StrFormat(
      "%s on %s\n  %d lanes, %d groups in flight: %.0f steps/s\n"
      "  one lane, round trip with its step: p50 %.0f µs, p99 %.0f µs\n",
      (*env)->spec().id(), ServerFromFlags(), num_envs, groups, *rate, p50, p99);
  return absl::OkStatus();
}

}  // namespace

Command BenchCommand() {
  return {
      .name = "bench",
      .operand = "ENV",
      .summary = "Measures steps a second and the round trip of one lane.",
      .example = "bench Ant-v5 --num_envs=64 --groups=2",
      .flags = WithEnvFlags(
          {{.name = "num_envs", .kind = FlagKind::kCount, .default_value = "64", .doc = "Lanes."},
           {.name = "groups",
            .kind = FlagKind::kCount,
            .doc = "Groups of lanes in flight, 2 by default; 1 waits for all lanes at each step."},
           {.name = "seconds",
            .kind = FlagKind::kNumber,
            .default_value = "3",
            .doc = "How long to measure."},
           {.name = "seed",
            .kind = FlagKind::kSeed,
            .default_value = "0",
            .doc = "Of the random actions."},
           PolicyFlag(),
           {.name = "json", .kind = FlagKind::kSwitch, .doc = "Print one JSON object."}}),
      .run = Bench};
}

}  // namespace hivewire
