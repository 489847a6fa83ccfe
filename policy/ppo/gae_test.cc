#include "policy/ppo/gae.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace hivewire {
namespace {

// Five steps of one lane: step 1 ends an episode, step 2 only starts the next one.
struct Lane {
  std::vector<float> rewards = {1, 2, 0, 3, 4};
  std::vector<float> values = {0.5, 1, 8, 2, 4};
  std::vector<uint8_t> terminated = {0, 0, 0, 0, 0};
  std::vector<uint8_t> truncated = {0, 0, 0, 0, 0};
  std::vector<uint8_t> valid = {1, 1, 0, 1, 1};

  std::vector<float> Advantages(bool bootstrap_at_time_limit) {
    const LaneSteps steps = {.steps = 5,
                             .stride = 1,
                             .rewards = rewards.data(),
                             .values = values.data(),
                             .terminated = terminated.data(),
                             .truncated = truncated.data(),
                             .valid = valid.data(),
                             .last_value = 6};
    std::vector<float> advantages(5, -1);
    ComputeAdvantages(steps, {0.5, 0.5, bootstrap_at_time_limit}, advantages.data());
    return advantages;
  }
};

TEST(Gae, NothingFollowsATermination) {
  Lane lane;
  lane.terminated[1] = 1;
  // By hand, with gamma = lambda = 1/2:
  //   4: 4 + 3 − 4 = 3              3: 3 + 2 − 2 + 3/4 = 3.75
  //   1: 2 − 1 = 1                  0: 1 + 0.5 − 0.5 + 1/4 = 1.25
  EXPECT_EQ(lane.Advantages(true), (std::vector<float>{1.25, 1, 0, 3.75, 3}));
  EXPECT_EQ(lane.Advantages(false), (std::vector<float>{1.25, 1, 0, 3.75, 3}));
}

TEST(Gae, ATruncatedStepBootstrapsFromTheLastObservation) {
  Lane lane;
  lane.truncated[1] = 1;
  //   1: 2 + 8/2 − 1 = 5            0: 1 + 0.5 − 0.5 + 5/4 = 2.25
  EXPECT_EQ(lane.Advantages(true), (std::vector<float>{2.25, 5, 0, 3.75, 3}));
}

TEST(Gae, ATimeLimitIsAnEndWhereItIsNotBootstrapped) {
  Lane lane;
  lane.truncated[1] = 1;
  EXPECT_EQ(lane.Advantages(false), (std::vector<float>{1.25, 1, 0, 3.75, 3}));
}

TEST(Gae, TerminationWinsOverTruncation) {
  Lane lane;
  lane.terminated[1] = lane.truncated[1] = 1;
  EXPECT_EQ(lane.Advantages(true), (std::vector<float>{1.25, 1, 0, 3.75, 3}));
}

TEST(Gae, AFailedStepIsDroppedAndNothingReachesAcrossIt) {
  Lane lane;  // no flag at step 1: step 2 is a fault, not an autoreset
  //   1: 2 + 8/2 − 1 = 5
  EXPECT_EQ(lane.Advantages(false), (std::vector<float>{2.25, 5, 0, 3.75, 3}));
}

}  // namespace
}  // namespace hivewire
