#include "policy/ppo/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hivewire {
namespace {

struct Samples {
  std::vector<float> log_probs = {-1.0f, -0.5f, -2.0f, -1.2f};
  std::vector<float> entropies = {1, 1, 1, 1};
  std::vector<float> values = {0.5f, 1.5f, -0.3f, 2.0f};
  std::vector<float> old_log_probs = {-1.1f, -1.0f, -1.6f, -1.25f};
  std::vector<float> old_values = {0.4f, 1.0f, -0.2f, 2.6f};
  std::vector<float> advantages = {1, 2, -1, 0.5f};
  std::vector<float> returns = {1, 2, 0, 1};

  PpoLoss Compute(const PpoLossOptions& options) {
    return ComputePpoLoss(
        {log_probs, entropies, values, old_log_probs, old_values, advantages, returns}, options,
        absl::MakeSpan(d_log_probs), absl::MakeSpan(d_values));
  }
  double Total(const PpoLossOptions& options) {
    const PpoLoss loss = Compute(options);
    return loss.policy_loss + options.value_coefficient * loss.value_loss;
  }

  std::vector<float> d_log_probs = std::vector<float>(4);
  std::vector<float> d_values = std::vector<float>(4);
};

TEST(PpoLoss, IsTheClippedSurrogate) {
  Samples samples;
  const PpoLoss loss = samples.Compute({.normalize_advantage = false});
  // Ratios e^0.1, e^0.5 (clipped to 1.2), e^−0.4 (clipped to 0.8), e^0.05.
  const double expected = -(std::exp(0.1) * 1 + 1.2 * 2 - 0.8 * 1 + std::exp(0.05) * 0.5) / 4;
  EXPECT_NEAR(loss.policy_loss, expected, 1e-6);
  EXPECT_NEAR(loss.value_loss, 0.5 * (0.25 + 0.25 + 0.09 + 1) / 4, 1e-6);
  EXPECT_DOUBLE_EQ(loss.clip_fraction, 0.5);
  EXPECT_NEAR(loss.old_approx_kl, -(0.1 + 0.5 - 0.4 + 0.05) / 4, 1e-6);
}

TEST(PpoLoss, ValueClippingTakesTheLargerError) {
  Samples samples;
  const PpoLoss loss = samples.Compute({.clip_value = true});
  // Clipped values: 0.5, 1.2, −0.3, 2.4.
  EXPECT_NEAR(loss.value_loss, 0.5 * (0.25 + 0.64 + 0.09 + 1.96) / 4, 1e-6);
}

TEST(PpoLoss, GradientsAreFiniteDifferences) {
  for (const bool clip_value : {false, true}) {
    const PpoLossOptions options = {.clip_value = clip_value, .value_coefficient = 0.7};
    Samples samples;
    samples.Compute(options);
    const std::vector<float> d_log_probs = samples.d_log_probs;
    const std::vector<float> d_values = samples.d_values;
    constexpr float kStep = 1e-3f;
    const auto difference = [&](float& x) {
      const float at = x;
      x = at + kStep;
      const double up = samples.Total(options);
      x = at - kStep;
      const double down = samples.Total(options);
      x = at;
      return (up - down) / (2 * kStep);
    };
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(d_log_probs[i], difference(samples.log_probs[i]), 1e-3) << i;
      EXPECT_NEAR(d_values[i], difference(samples.values[i]), 1e-3) << i;
    }
  }
}

TEST(PpoLoss, AdvantagesAreNormalisedToUnitDeviation) {
  Samples samples;
  samples.log_probs = samples.old_log_probs;
  // With all ratios 1 the loss is minus the mean normalised advantage, 0.
  EXPECT_NEAR(samples.Compute({}).policy_loss, 0, 1e-6);
  for (float& advantage : samples.advantages) advantage = 10 * advantage + 3;
  const std::vector<float> before = samples.d_log_probs;
  samples.Compute({});
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(samples.d_log_probs[i], before[i], 1e-6);
}

}  // namespace
}  // namespace hivewire
