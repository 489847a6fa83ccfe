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

  PolicyLoss Policy(const PolicyLossOptions& options) {
    return ComputePolicyLoss({log_probs, entropies, old_log_probs, advantages}, options,
                             absl::MakeSpan(d_log_probs));
  }
  double Value(const ValueLossOptions& options) {
    return ComputeValueLoss({values, old_values, returns}, options, absl::MakeSpan(d_values));
  }

  std::vector<float> d_log_probs = std::vector<float>(4);
  std::vector<float> d_values = std::vector<float>(4);
};

constexpr float kStep = 1e-3f;

// The slope of `loss` by `x`.
template <typename Loss>
double Slope(float& x, const Loss& loss) {
  const float at = x;
  x = at + kStep;
  const double up = loss();
  x = at - kStep;
  const double down = loss();
  x = at;
  return (up - down) / (2 * kStep);
}

TEST(PolicyLoss, IsTheClippedSurrogate) {
  Samples samples;
  const PolicyLoss loss = samples.Policy({.normalize_advantage = false});
  // Ratios e^0.1, e^0.5 (clipped to 1.2), e^−0.4 (clipped to 0.8), e^0.05.
  const double expected = -(std::exp(0.1) * 1 + 1.2 * 2 - 0.8 * 1 + std::exp(0.05) * 0.5) / 4;
  EXPECT_NEAR(loss.surrogate, expected, 1e-6);
  EXPECT_DOUBLE_EQ(loss.clip_fraction, 0.5);
  EXPECT_NEAR(loss.old_approx_kl, -(0.1 + 0.5 - 0.4 + 0.05) / 4, 1e-6);
}

TEST(PolicyLoss, ClipsEachElementOfAnActionByItself) {
  Samples samples;
  // Two actions of two elements.
  samples.entropies = {3, 5};
  samples.advantages = {1, -2};
  const PolicyLoss loss = samples.Policy({.normalize_advantage = false});
  const double expected = -(std::exp(0.1) + 1.2 - 2 * 0.8 - 2 * std::exp(0.05)) / 4;
  EXPECT_NEAR(loss.surrogate, expected, 1e-6);
  EXPECT_DOUBLE_EQ(loss.clip_fraction, 0.5);
  // Those of whole actions.
  EXPECT_DOUBLE_EQ(loss.entropy, 4);
  EXPECT_NEAR(loss.old_approx_kl, -(0.1 + 0.5 - 0.4 + 0.05) / 2, 1e-6);
}

TEST(PolicyLoss, GradientsByElementAreFiniteDifferences) {
  Samples samples;
  samples.entropies = {3, 5};
  samples.advantages = {1, -2};
  const PolicyLossOptions options = {.normalize_advantage = false, .kl_coefficient = 0.3};
  samples.Policy(options);
  const std::vector<float> gradients = samples.d_log_probs;
  for (int i = 0; i < 4; ++i) {
    const double slope = Slope(samples.log_probs[i], [&] {
      const PolicyLoss loss = samples.Policy(options);
      return loss.surrogate + options.kl_coefficient * loss.approx_kl;
    });
    EXPECT_NEAR(gradients[i], slope, 1e-3) << i;
  }
}

TEST(PolicyLoss, GradientsAreFiniteDifferences) {
  Samples samples;
  samples.Policy({});
  const std::vector<float> gradients = samples.d_log_probs;
  for (int i = 0; i < 4; ++i) {
    const double slope = Slope(samples.log_probs[i], [&] { return samples.Policy({}).surrogate; });
    EXPECT_NEAR(gradients[i], slope, 1e-3) << i;
  }
}

TEST(ValueLoss, IsHalfTheMeanSquaredError) {
  Samples samples;
  EXPECT_NEAR(samples.Value({}), 0.5 * (0.25 + 0.25 + 0.09 + 1) / 4, 1e-6);
}

TEST(ValueLoss, ClippingTakesTheLargerError) {
  Samples samples;
  // Clipped values: 0.5, 1.2, −0.3, 2.4.
  EXPECT_NEAR(samples.Value({.clip_value = true}), 0.5 * (0.25 + 0.64 + 0.09 + 1.96) / 4, 1e-6);
}

TEST(ValueLoss, GradientsAreFiniteDifferencesTimesTheCoefficient) {
  for (const bool clip_value : {false, true}) {
    const ValueLossOptions options = {.coefficient = 0.7, .clip_value = clip_value};
    Samples samples;
    samples.Value(options);
    const std::vector<float> gradients = samples.d_values;
    for (int i = 0; i < 4; ++i) {
      const double slope = Slope(samples.values[i], [&] { return samples.Value(options); });
      EXPECT_NEAR(gradients[i], 0.7 * slope, 1e-3) << i;
    }
  }
}

TEST(PolicyLoss, AdvantagesAreNormalisedToUnitDeviation) {
  Samples samples;
  samples.log_probs = samples.old_log_probs;
  // With all ratios 1 the loss is minus the mean normalised advantage, 0.
  EXPECT_NEAR(samples.Policy({}).surrogate, 0, 1e-6);
  for (float& advantage : samples.advantages) advantage = 10 * advantage + 3;
  const std::vector<float> before = samples.d_log_probs;
  samples.Policy({});
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(samples.d_log_probs[i], before[i], 1e-6);
}

}  // namespace
}  // namespace hivewire
