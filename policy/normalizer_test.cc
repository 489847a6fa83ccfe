#include "policy/normalizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "policy/testing/plain_policy.h"

namespace hivewire {
namespace {

TEST(RunningMoments, AreThoseOfAllRowsTogether) {
  RunningMoments moments(2);
  moments.Update({1, 10, 3, 20});
  moments.Update({8, 60});
  EXPECT_DOUBLE_EQ(moments.count(), 3);
  EXPECT_DOUBLE_EQ(moments.mean()[0], 4);
  EXPECT_DOUBLE_EQ(moments.mean()[1], 30);
  EXPECT_NEAR(moments.variance()[0], (9 + 1 + 16) / 3.0, 1e-12);
  EXPECT_NEAR(moments.variance()[1], (400 + 100 + 900) / 3.0, 1e-12);
}

TEST(RunningMoments, MergeEqualsHavingSeenTheOthersRows) {
  RunningMoments whole(1), left(1), right(1);
  whole.Update({1, 2, 3, 10, 20});
  left.Update({1, 2, 3});
  right.Update({10, 20});
  left.Merge(right.count(), right.mean(), right.variance());
  EXPECT_DOUBLE_EQ(left.count(), whole.count());
  EXPECT_NEAR(left.mean()[0], whole.mean()[0], 1e-12);
  EXPECT_NEAR(left.variance()[0], whole.variance()[0], 1e-12);
}

TEST(RunningMoments, MaskedRowsDoNotCount) {
  RunningMoments moments(1);
  moments.Update({5, 1000, 7}, {1, 0, 1});
  EXPECT_DOUBLE_EQ(moments.mean()[0], 6);
  EXPECT_DOUBLE_EQ(moments.variance()[0], 1);
}

TEST(RunningMoments, ComeBackFromACheckpoint) {
  RunningMoments moments(2), loaded(2), other(3);
  moments.Update({1, 10, 3, 20});
  TensorMap tensors;
  moments.Save("normalizer", tensors);
  ASSERT_TRUE(loaded.Load("normalizer", tensors).ok());
  EXPECT_EQ(loaded.mean(), moments.mean());
  EXPECT_EQ(loaded.variance(), moments.variance());
  EXPECT_NE(other.Load("normalizer", tensors).message().find("normalizer.mean"), std::string::npos);
}

TEST(ObservationNormalizer, IsTheSameAsData) {
  ObservationNormalizer normalizer(3, 2);
  normalizer.moments().Update({1, 5, -300, 3, 5, 200, 8, 5, 700});
  v1::Policy policy;
  *policy.mutable_observation_normalizer() = normalizer.Export();
  std::vector<float> row = {2, 5.00005f, 10000};
  const std::vector<double> by_hand = NormalizedByHand(policy, row);
  normalizer.Normalize(absl::MakeSpan(row));
  for (size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], by_hand[i], 1e-5);
}

TEST(ObservationNormalizer, ScalesToUnitVarianceAndClips) {
  ObservationNormalizer normalizer(1, 1.5);
  normalizer.moments().Update({2, 6});
  std::vector<float> rows = {6, 4, 100};
  normalizer.Normalize(absl::MakeSpan(rows));
  EXPECT_NEAR(rows[0], 1, 1e-6);
  EXPECT_NEAR(rows[1], 0, 1e-6);
  EXPECT_FLOAT_EQ(rows[2], 1.5);
}

TEST(RewardNormalizer, DividesByTheDeviationOfTheDiscountedReturn) {
  RewardNormalizer normalizer(/*num_lanes=*/2, /*gamma=*/0.5, /*clip=*/10);
  std::vector<float> rewards = {2, 4};
  normalizer.Normalize(0, absl::MakeSpan(rewards), {1, 1}, {0, 0}, {0, 1});
  // Returns 2 and 4: variance 1.
  EXPECT_NEAR(rewards[0], 2, 1e-6);
  EXPECT_NEAR(rewards[1], 4, 1e-6);
  rewards = {3, 4};
  normalizer.Normalize(0, absl::MakeSpan(rewards), {1, 1}, {0, 0}, {0, 0});
  // Lane 0 goes on (2 / 2 + 3 = 4), lane 1 starts anew (4): returns 2, 4, 4, 4.
  EXPECT_NEAR(rewards[0], 3 / std::sqrt(0.75), 1e-5);
}

}  // namespace
}  // namespace hivewire
