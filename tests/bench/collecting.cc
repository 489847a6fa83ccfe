// collecting: how fast experience comes to a learner, by where its policy runs.
//
// One env server in a child process, reached over a Unix socket; one learner's algorithm, whose
// network is the same on every side:
//   lockstep  the learner chooses actions with LibTorch, and waits for all lanes at each step
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
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/config/config.h"
#include "policy/embedded_source.h"
#include "policy/fragment_collector.h"
#include "policy/remote_policy_collector.h"
#include "policy/session.h"
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
  std::string name;
  std::unique_ptr<VectorEnv> env;
  std::unique_ptr<VectorRollout> rollout;
  std::unique_ptr<Algorithm> algorithm;
  std::unique_ptr<FragmentSource> source;
  std::unique_ptr<Collector> collector;
  std::vector<double> rates;  // steps/s, by round
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

absl::StatusOr<Side> MakeSide(const std::string& name, const std::string& server) {
  const absl::StatusOr<v1::LearnerConfig> config = ConfigFor(server, name == "groups" ? 2 : 1);
  if (!config.ok()) return config.status();
  Side side;
  side.name = name;
  absl::StatusOr<Problem> problem;
  if (name == "rollouts") {
    auto rollout = MakeRollout(*config, {});
    if (!rollout.ok()) return rollout.status();
    side.rollout = *std::move(rollout);
    problem = MakeProblem(*side.rollout);
  } else {
    auto env = MakeEnv(*config, config->env().num_envs(), {});
    if (!env.ok()) return env.status();
    side.env = *std::move(env);
    problem = MakeProblem(*side.env, *config);
  }
  if (!problem.ok()) return problem.status();
  auto algorithm = MakeAlgorithm(*config, *problem);
  if (!algorithm.ok()) return algorithm.status();
  side.algorithm = *std::move(algorithm);
  if (side.rollout != nullptr) {
    side.collector = std::make_unique<RemotePolicyCollector>(*side.rollout, *side.algorithm,
                                                             problem->action, *config);
  } else {
    auto observations = MakeObservations(*side.env, *config);
    if (!observations.ok()) return observations.status();
    side.source =
        std::make_unique<EmbeddedSource>(*side.env, *problem, *config, *std::move(observations));
    side.collector = std::make_unique<FragmentCollector>(*side.source, *side.algorithm, *config);
  }
  if (absl::Status status = side.collector->Start(1); !status.ok()) return status;
  return side;
}

// Collects for kTurn, not counting updates; steps/s.
absl::StatusOr<double> TakeTurn(Side& side) {
  absl::Duration spent;
  int64_t steps = 0;
  while (spent < kTurn) {
    const absl::Time begin = absl::Now();
    const absl::StatusOr<int64_t> collected = side.collector->Collect(INT64_MAX);
    spent += absl::Now() - begin;
    if (!collected.ok()) return collected.status();
    steps += *collected;
    const auto updated = side.algorithm->Update(0);
    if (!updated.ok()) return updated.status();
  }
  return static_cast<double>(steps) / absl::ToDoubleSeconds(spent);
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

absl::Status Run() {
  const auto server =
      ServerProcess::Start(absl::GetFlag(FLAGS_env_server), {"--render=false", "--allow_rollouts"});
  if (!server.ok()) return server.status();
  std::vector<Side> sides;
  for (const char* name : {"lockstep", "groups", "rollouts"}) {
    absl::StatusOr<Side> side = MakeSide(name, (*server)->unix_address());
    if (!side.ok()) return side.status();
    sides.push_back(*std::move(side));
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
  for (const Side& side : sides) {
    std::vector<double> ratios;
    for (size_t round = 0; round < side.rates.size(); ++round) {
      ratios.push_back(side.rates[round] / sides[0].rates[round]);
    }
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf("%-9s %10.0f steps/s   ratio to lockstep %.2f (%.2f … %.2f)\n", side.name.c_str(),
                Median(side.rates), Median(ratios), *low, *high);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = hivewire::Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "collecting: %s\n", std::string(status.message()).c_str());
  return 1;
}
