#include "policy/ranks/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "policy/ranks/testing/joined_ranks.h"

namespace hivewire {
namespace {

constexpr int kRanks = 3;
constexpr int kRounds = 4;

// What a rank sees in a round: rows of two columns, not as many as the others.
std::vector<float> RowsOf(int round, int rank) {
  std::vector<float> rows;
  for (int i = 0; i < 5 * rank + round; ++i) {
    rows.push_back(std::sin(static_cast<float>(i + 7 * round)) + static_cast<float>(rank));
    rows.push_back(1e3f + static_cast<float>(i * round));
  }
  return rows;
}

TEST(Moments, OfAllRanksAreThoseOfOneThatSawEverything) {
  RunningMoments whole(2);
  std::vector<RunningMoments> of_ranks(kRanks, RunningMoments(2));
  for (int round = 0; round < kRounds; ++round) {
    for (int rank = 0; rank < kRanks; ++rank) whole.Update(RowsOf(round, rank));
  }
  RunRanks(kRanks, [&](Ranks& ranks) {
    for (int round = 0; round < kRounds; ++round) {
      EXPECT_TRUE(
          UpdateOverRanks(&ranks, RowsOf(round, ranks.rank()), {}, of_ranks[ranks.rank()]).ok());
    }
  });
  for (const RunningMoments& moments : of_ranks) {
    EXPECT_EQ(moments.mean(), of_ranks[0].mean());
    EXPECT_EQ(moments.variance(), of_ranks[0].variance());
    EXPECT_DOUBLE_EQ(moments.count(), whole.count());
    for (int i = 0; i < 2; ++i) {
      EXPECT_NEAR(moments.mean()[i], whole.mean()[i], 1e-9);
      EXPECT_NEAR(moments.variance()[i], whole.variance()[i], 1e-9);
    }
  }
}

TEST(Moments, RewardsOfAllRanksCountOnce) {
  // One step of three lanes, with returns that end at once: moments of the rewards themselves.
  const std::vector<uint8_t> yes(3, 1), no(3, 0);
  const auto normalize = [&](int from, RewardNormalizer& normalizer) {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<float> rewards = {1.0f * from, 2.0f * round, -1.5f};
      normalizer.Normalize(0, absl::MakeSpan(rewards), yes, yes, no);
    }
  };
  RewardNormalizer whole(3, 0.99, 10);
  for (int cycle = 0; cycle < 2; ++cycle) {
    for (int rank = 0; rank < kRanks; ++rank) normalize(rank + cycle, whole);
  }
  TensorMap wanted;
  whole.Save("reward", wanted);
  RunRanks(kRanks, [&](Ranks& ranks) {
    RewardNormalizer normalizer(3, 0.99, 10);
    for (int cycle = 0; cycle < 2; ++cycle) {
      normalizer.BeginSharing();
      normalize(ranks.rank() + cycle, normalizer);
      RunningMoments all = normalizer.before();
      EXPECT_TRUE(MergeOverRanks(ranks, normalizer.added(), all).ok());
      normalizer.EndSharing(std::move(all));
    }
    TensorMap tensors;
    normalizer.Save("reward", tensors);
    for (const char* name : {"reward.count", "reward.mean", "reward.variance"}) {
      double expected = 0, value = 0;
      ASSERT_TRUE(wanted.GetDoubles(name, {&expected, 1}).ok());
      ASSERT_TRUE(tensors.GetDoubles(name, {&value, 1}).ok());
      EXPECT_NEAR(value, expected, 1e-12) << name;
    }
  });
}

}  // namespace
}  // namespace hivewire
