// PPO over several ranks: for the same data the gradient of one alone.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "policy/algorithm.h"
#include "policy/ranks/testing/joined_ranks.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8;
constexpr int kSteps = 24;
constexpr int kObservations = 5;
constexpr int kActions = 2;

using Tensors = std::map<std::string, std::vector<float>>;

// A number for a place, in −1 … 1.
float Noise(int a, int b, int c) {
  return std::sin(static_cast<float>(a * 7919 + b * 104729 + c * 1299709) * 0.001f);
}

bool Valid(int step, int lane) { return (step * 5 + lane * 3) % 11 != 0; }

v1::LearnerConfig OneStepConfig() {
  v1::LearnerConfig config;
  config.set_threads(1);
  config.mutable_model()->add_hidden(16);
  config.mutable_ppo()->set_rollout_steps(kSteps);
  config.mutable_ppo()->set_minibatch_size(kSteps * kLanes);
  config.mutable_ppo()->set_epochs(1);
  config.mutable_ppo()->set_max_grad_norm(0);
  config.mutable_ppo()->set_entropy_coefficient(0.01);
  config.mutable_ppo()->set_tbptt_steps(8);
  config.mutable_ppo()->set_learning_rate_schedule("constant");
  return config;
}

// What an algorithm that sees lanes first … first + count − 1 of the same data keeps after
// `updates` updates.
Tensors Learn(v1::LearnerConfig config, int first, int count, int updates, Ranks* ranks) {
  // Weights are rank 0's, whatever a rank began with.
  if (ranks != nullptr) config.set_seed(config.seed() + static_cast<uint64_t>(ranks->rank()));
  const ActionSpace action = ActionSpace::Box({-1, -1}, {1, 1});
  auto algorithm = MakeAlgorithm(config, {count, kObservations, action});
  EXPECT_TRUE(algorithm.ok()) << algorithm.status();
  if (ranks != nullptr) {
    EXPECT_TRUE((*algorithm)->LearnWith(*ranks).ok());
  }
  std::vector<float> now(count * kObservations), next(count * kObservations);
  const auto observe = [&](int step, std::vector<float>& rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const int lane = first + static_cast<int>(i) / kObservations;
      rows[i] = Noise(step, lane, static_cast<int>(i) % kObservations);
    }
  };
  for (int update = 0; update < updates; ++update) {
    for (int t = 0; t < kSteps; ++t) {
      const int step = update * kSteps + t;
      observe(step, now);
      observe(step + 1, next);
      std::vector<float> actions, log_probs, rewards;
      std::vector<uint8_t> terminated, truncated, valid;
      for (int lane = first; lane < first + count; ++lane) {
        for (int k = 0; k < kActions; ++k) actions.push_back(Noise(step, lane, 10 + k));
        log_probs.push_back(-2 + 0.1f * Noise(step, lane, 20));
        rewards.push_back(Noise(step, lane, 21));
        valid.push_back(Valid(step, lane));
        // The step after an end only starts the next episode.
        terminated.push_back(Valid(step, lane) && !Valid(step + 1, lane));
        truncated.push_back(0);
      }
      const absl::Span<const char> bytes(reinterpret_cast<const char*>(actions.data()),
                                         actions.size() * sizeof(float));
      EXPECT_TRUE((*algorithm)->TakeChoices({0, count}, {now, bytes, log_probs}).ok());
      EXPECT_TRUE(
          (*algorithm)->Record({0, count}, {next, rewards, terminated, truncated, valid}).ok());
    }
    const auto statistics = (*algorithm)->Update(0);
    EXPECT_TRUE(statistics.ok()) << statistics.status();
  }
  TensorMap saved;
  EXPECT_TRUE((*algorithm)->Save(saved).ok());
  Tensors tensors;
  for (const auto& [name, tensor] : saved.tensors()) {
    if (tensor.type != TensorType::kFloat32) continue;
    std::vector<float>& values = tensors[name];
    values.resize(tensor.bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  }
  return tensors;
}

std::vector<Tensors> LearnInRanks(const v1::LearnerConfig& config, int size, int updates) {
  std::vector<Tensors> all(size);
  RunRanks(size, [&](Ranks& ranks) {
    const int count = kLanes / size;
    all[ranks.rank()] = Learn(config, ranks.rank() * count, count, updates, &ranks);
  });
  return all;
}

struct Case {
  const char* name;
  void (*change)(v1::LearnerConfig&);
};

class RanksTest : public testing::TestWithParam<Case> {};

TEST_P(RanksTest, OneTwoAndFourGiveTheSameGradientForTheSameData) {
  v1::LearnerConfig config = OneStepConfig();
  GetParam().change(config);
  const Tensors alone = Learn(config, 0, kLanes, 1, nullptr);
  for (const int size : {1, 2, 4}) {
    for (const Tensors& of_rank : LearnInRanks(config, size, 1)) {
      double largest = 0;
      for (const auto& [name, values] : alone) {
        // After one step it is the gradient, times 1 − 0.9.
        if (!absl::StartsWith(name, "adam.mean")) continue;
        const std::vector<float>& others = of_rank.at(name);
        ASSERT_EQ(others.size(), values.size()) << name;
        for (size_t i = 0; i < values.size(); ++i) {
          EXPECT_NEAR(10 * others[i], 10 * values[i], 1e-6) << name << ", " << size << " ranks";
          largest = std::max(largest, std::abs(10.0 * values[i]));
        }
      }
      EXPECT_GT(largest, 1e-2);
    }
  }
}

TEST_P(RanksTest, KeepTheSameWeightsToTheLastBitOverManySteps) {
  v1::LearnerConfig config = OneStepConfig();
  GetParam().change(config);
  config.mutable_ppo()->set_minibatch_size(48);
  config.mutable_ppo()->set_epochs(4);
  // Ends updates early, and moves the learning rate, by what all ranks see.
  config.mutable_ppo()->set_target_kl(0.05);
  config.mutable_ppo()->set_learning_rate_schedule("kl-adaptive");
  const std::vector<Tensors> ranks = LearnInRanks(config, 2, 3);
  for (const auto& [name, values] : ranks[0]) {
    if (absl::StrContains(name, "memory")) continue;
    EXPECT_EQ(values, ranks[1].at(name)) << name;
  }
  EXPECT_NE(ranks[0].begin()->second, Learn(config, 0, kLanes, 0, nullptr).begin()->second);
}

INSTANTIATE_TEST_SUITE_P(Models, RanksTest,
                         testing::Values(Case{"mlp", [](v1::LearnerConfig&) {}},
                                         Case{"shared",
                                              [](v1::LearnerConfig& c) {
                                                c.mutable_model()->set_shared_trunk(true);
                                              }},
                                         Case{"whole_rollout",
                                              [](v1::LearnerConfig& c) {
                                                c.mutable_ppo()->set_advantage_scope("rollout");
                                                c.mutable_ppo()->set_normalize_value(true);
                                              }},
                                         Case{"gru",
                                              [](v1::LearnerConfig& c) {
                                                c.mutable_model()->set_type("gru");
                                                c.mutable_model()->set_recurrent_width(8);
                                              }}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace hivewire
