// Time of one update and of one choice of actions, at the sizes of HalfCheetah and Ant.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "policy/algorithm.h"

namespace hivewire {
namespace {

constexpr int kLanes = 64;
constexpr int kSteps = 32;
constexpr int kEpochs = 10;

struct Fixture {
  Fixture(int64_t observation_dim, int64_t action_dim, int64_t minibatch_size, int64_t threads) {
    v1::LearnerConfig config;
    config.set_threads(static_cast<int>(threads));
    config.mutable_ppo()->set_rollout_steps(kSteps);
    config.mutable_ppo()->set_epochs(kEpochs);
    config.mutable_ppo()->set_minibatch_size(static_cast<int>(minibatch_size));
    const ActionSpace action = ActionSpace::Box(std::vector<float>(action_dim, -1.0f),
                                                std::vector<float>(action_dim, 1.0f));
    auto made = MakeAlgorithm(config, {kLanes, static_cast<int>(observation_dim), action});
    if (!made.ok()) std::abort();
    algorithm = *std::move(made);
    actions.resize(kLanes * action.row_bytes());
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    observations.resize(kLanes * observation_dim);
    for (float& x : observations) x = normal(generator);
    for (float& x : rewards) x = normal(generator);
  }

  void Step() {
    if (!algorithm->Act({0, kLanes}, observations, absl::MakeSpan(actions)).ok()) std::abort();
    const absl::Status status =
        algorithm->Record({0, kLanes}, {observations, rewards, zeros, zeros, ones});
    if (!status.ok()) std::abort();
  }

  std::unique_ptr<Algorithm> algorithm;
  std::vector<float> observations;
  std::vector<char> actions;
  std::vector<float> rewards = std::vector<float>(kLanes);
  std::vector<uint8_t> zeros = std::vector<uint8_t>(kLanes, 0);
  std::vector<uint8_t> ones = std::vector<uint8_t>(kLanes, 1);
};

// Arguments: observation elements, action elements, minibatch, threads.
void BM_Update(benchmark::State& state) {
  Fixture fixture(state.range(0), state.range(1), state.range(2), state.range(3));
  for (auto _ : state) {
    state.PauseTiming();
    while (fixture.algorithm->StepsUntilUpdate() > 0) fixture.Step();
    state.ResumeTiming();
    if (!fixture.algorithm->Update(0).ok()) std::abort();
  }
  // Samples that passed through the networks, each once an epoch.
  state.SetItemsProcessed(state.iterations() * kLanes * kSteps * kEpochs);
}
BENCHMARK(BM_Update)
    ->ArgsProduct({{17}, {6}, {64, 256}, {1, 2}})
    ->ArgsProduct({{105}, {8}, {64, 256}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_Act(benchmark::State& state) {
  Fixture fixture(state.range(0), state.range(1), 256, 1);
  for (auto _ : state) {
    if (fixture.algorithm->StepsUntilUpdate() == 0) {
      state.PauseTiming();
      if (!fixture.algorithm->Update(0).ok()) std::abort();
      state.ResumeTiming();
    }
    fixture.Step();
  }
  state.SetItemsProcessed(state.iterations() * kLanes);
}
BENCHMARK(BM_Act)->Args({17, 6})->Args({105, 8})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hivewire

BENCHMARK_MAIN();
