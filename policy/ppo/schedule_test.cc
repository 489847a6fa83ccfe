#include "policy/ppo/schedule.h"

#include <gtest/gtest.h>

namespace hivewire {
namespace {

v1::PpoConfig Config(const std::string& schedule) {
  v1::PpoConfig config;
  config.set_learning_rate(1e-3);
  config.set_learning_rate_schedule(schedule);
  return config;
}

TEST(LearningRate, LinearFallsToZeroAtTheEndOfTheRun) {
  LearningRate rate(Config("linear"));
  rate.BeginUpdate(0.25);
  EXPECT_DOUBLE_EQ(rate.value(), 7.5e-4);
  rate.BeginUpdate(1);
  EXPECT_EQ(rate.value(), 0);
}

TEST(LearningRate, ExponentialFallsByOneFactorAnUpdate) {
  LearningRate rate(Config("exponential"));
  for (const double expected : {1e-3, 0.98e-3, 0.98 * 0.98e-3}) {
    rate.BeginUpdate(0.5);
    EXPECT_DOUBLE_EQ(rate.value(), expected);
  }
}

TEST(LearningRate, AdaptsToTheDivergenceWithinItsLimits) {
  LearningRate rate(Config("kl-adaptive"));
  rate.BeginUpdate(0);
  rate.Observe(0.021);
  EXPECT_DOUBLE_EQ(rate.value(), 1e-3 / 1.5);
  rate.Observe(0.01);
  EXPECT_DOUBLE_EQ(rate.value(), 1e-3 / 1.5);
  rate.Observe(0.004);
  EXPECT_DOUBLE_EQ(rate.value(), 1e-3);
  for (int i = 0; i < 100; ++i) rate.Observe(0);
  EXPECT_DOUBLE_EQ(rate.value(), 1e-2);
  for (int i = 0; i < 100; ++i) rate.Observe(1);
  EXPECT_DOUBLE_EQ(rate.value(), 1e-5);
}

TEST(LearningRate, GoesOnFromACheckpoint) {
  LearningRate first(Config("exponential")), second(Config("exponential"));
  first.BeginUpdate(0);
  TensorMap tensors;
  first.Save("rate", tensors);
  ASSERT_TRUE(second.Load("rate", tensors).ok());
  second.BeginUpdate(0);
  EXPECT_DOUBLE_EQ(second.value(), 0.98e-3);
}

TEST(EntropyCoefficient, LinearRunsFromTheFirstToTheLast) {
  v1::PpoConfig config;
  config.set_entropy_coefficient(0.01);
  config.set_final_entropy_coefficient(0.002);
  EXPECT_EQ(EntropyCoefficient(config, 0.5), 0.01);
  config.set_entropy_schedule("linear");
  EXPECT_DOUBLE_EQ(EntropyCoefficient(config, 0.5), 0.006);
  EXPECT_DOUBLE_EQ(EntropyCoefficient(config, 1), 0.002);
}

}  // namespace
}  // namespace hivewire
