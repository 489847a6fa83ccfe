// collecting: how fast experience comes to a learner, by where its policy runs.
//
// One env server in a child process, reached over a Unix socket; one learner's algorithm, whose
// network is the same on every side:
//   libtorch  the learner chooses actions with LibTorch, and waits for all lanes at each step
//   lockstep  the same with the exported policy, which is not LibTorch's to evaluate
//   groups    the same with two groups of lanes in flight
//   rollouts  the policy travels to the server (--collect=remote-policy), publishing included
// Sides take turns in each round, and only collecting is timed, not learning; ratios are medians
// over the rounds of ratios within a round.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/exit_status.h"
#include "client/stepping.h"
#include "policy/config/config.h"
#include "tests/bench/learning_loop.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, env_server, "bazel-bin/server/env_server", "The server's program.");
ABSL_FLAG(std::string, env, "CartPole-v1", "Env id.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(int, steps, 128, "Steps of each lane between two updates.");
ABSL_FLAG(int, rounds, 7, "Rounds; each side collects once for half a second in each.");
ABSL_FLAG(std::vector<std::string>, set, {}, "path=value of LearnerConfig, comma-separated.");

namespace hivewire {
namespace {

constexpr absl::Duration kTurn = absl::Milliseconds(500);

struct Side {
  const char* name;
  Chooser chooser;
  int groups;
  std::unique_ptr<LearningLoop> loop = nullptr;
  std::vector<double> rates = {};  // steps/s, by round
};

absl::StatusOr<v1::LearnerConfig> ConfigFor(const std::string& server, int groups) {
  ConfigSources sources;
  sources.overrides = {absl::StrCat("env.server=", server),
                       absl::StrCat("env.id=", absl::GetFlag(FLAGS_env)),
                       absl::StrCat("env.num_envs=", absl::GetFlag(FLAGS_num_envs)),
                       absl::StrCat("ppo.rollout_steps=", absl::GetFlag(FLAGS_steps)),
                       absl::StrCat("collection.groups=", groups),
                       "ppo.epochs=1",
                       "ppo.minibatch_size=4096",
                       "threads=1"};
  for (const std::string& assignment : absl::GetFlag(FLAGS_set)) {
    sources.overrides.push_back(assignment);
  }
  return LoadConfig(sources);
}

// Collects for kTurn, not counting updates; steps/s.
absl::StatusOr<double> TakeTurn(Side& side) {
  absl::Duration spent;
  int64_t steps = 0;
  while (spent < kTurn) {
    const absl::Time begin = absl::Now();
    const absl::StatusOr<int64_t> collected = side.loop->Collect();
    spent += absl::Now() - begin;
    if (!collected.ok()) return collected.status();
    steps += *collected;
    if (absl::Status status = side.loop->Update(); !status.ok()) return status;
  }
  return static_cast<double>(steps) / absl::ToDoubleSeconds(spent);
}

absl::Status Run() {
  const auto server =
      ServerProcess::Start(absl::GetFlag(FLAGS_env_server), {"--render=false", "--allow_rollouts"});
  if (!server.ok()) return server.status();
  std::vector<Side> sides;
  sides.push_back({"libtorch", Chooser::kLibTorch, 1});
  sides.push_back({"lockstep", Chooser::kPortable, 1});
  sides.push_back({"groups", Chooser::kPortable, 2});
  sides.push_back({"rollouts", Chooser::kServer, 1});
  for (Side& side : sides) {
    const auto config = ConfigFor((*server)->unix_address(), side.groups);
    if (!config.ok()) return config.status();
    auto loop = LearningLoop::Make(*config, side.chooser);
    if (!loop.ok()) return loop.status();
    side.loop = *std::move(loop);
  }
  // The first turn warms up.
  for (int round = -1; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (Side& side : sides) {
      const absl::StatusOr<double> rate = TakeTurn(side);
      if (!rate.ok()) return rate.status();
      if (round >= 0) side.rates.push_back(*rate);
    }
  }
  std::printf("%s, %d lanes, %d steps of each between two updates\n",
              absl::GetFlag(FLAGS_env).c_str(), absl::GetFlag(FLAGS_num_envs),
              absl::GetFlag(FLAGS_steps));
  const auto ratio = [](const Side& side, const Side& base) {
    std::vector<double> ratios;
    for (size_t round = 0; round < side.rates.size(); ++round) {
      ratios.push_back(side.rates[round] / base.rates[round]);
    }
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    return absl::StrFormat("%.2f (%.2f … %.2f)", Median(ratios), *low, *high);
  };
  for (const Side& side : sides) {
    std::printf("%-9s %10.0f steps/s   ÷ libtorch %s   ÷ lockstep %s\n", side.name,
                Median(side.rates), ratio(side, sides[0]).c_str(), ratio(side, sides[1]).c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("collecting", hivewire::Run());
}
