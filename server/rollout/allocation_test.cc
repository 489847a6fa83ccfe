#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "server/rollout/test_pool.h"
#include "server/tasks/testing/allocations.h"

namespace hivewire {
namespace {

struct Kind {
  const char* env_id;
  v1::AutoresetMode mode;
};

class RolloutOf : public testing::TestWithParam<Kind> {};

// Episodes of so many steps, and fragments in which each lane ends as many of them.
constexpr int kEpisode = 3;
constexpr uint32_t kLength = 12;

TEST_P(RolloutOf, AllocatesNothingOnceItIsUnderWay) {
  // With one worker, it is sure to have met every crew before the counting begins.
  TestPool pool(TaskOf(GetParam().env_id), 16, GetParam().mode, 1, kDefaultStepTimeout, kEpisode);
  pool.Reset();
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(kLength);
  const auto rollout = pool.Start(request);
  ASSERT_TRUE(rollout.ok()) << rollout.status();
  uint64_t episodes = 0;
  const auto take = [&](int fragments) {
    for (int k = 0; k < fragments; ++k) {
      const auto fragment = (*rollout)->Next(absl::InfiniteFuture());
      if (!fragment.ok()) return fragment.status();
      episodes += static_cast<uint64_t>((*fragment)->fragment().episodes_size());
      (*rollout)->Release();
    }
    return absl::OkStatus();
  };
  // Every buffer is filled a few times.
  ASSERT_EQ(take(50), absl::OkStatus());
  ASSERT_GT(episodes, uint64_t{0});
  ASSERT_GT(AllocationCount(), 0);
  // An order of events that comes for the first time may need a place more; but not each time.
  int64_t least = INT64_MAX;
  const int64_t begin = AllocationCount();
  for (int window = 0; window < 5; ++window) {
    const int64_t before = AllocationCount();
    const absl::Status status = take(10);
    const int64_t after = AllocationCount();
    EXPECT_EQ(status, absl::OkStatus());
    least = std::min(least, after - before);
  }
  EXPECT_EQ(least, 0);
  EXPECT_LT(AllocationCount() - begin, 5);
}

INSTANTIATE_TEST_SUITE_P(Rollouts, RolloutOf,
                         testing::Values(Kind{"CartPole-v1", v1::AUTORESET_MODE_NEXT_STEP},
                                         Kind{"CartPole-v1", v1::AUTORESET_MODE_SAME_STEP},
                                         Kind{"Pendulum-v1", v1::AUTORESET_MODE_NEXT_STEP},
                                         Kind{"InvertedPendulum-v5", v1::AUTORESET_MODE_NEXT_STEP},
                                         Kind{"Hopper-v5", v1::AUTORESET_MODE_SAME_STEP}),
                         [](const testing::TestParamInfo<Kind>& info) {
                           std::string name = info.param.env_id;
                           name.resize(name.find('-'));
                           return name + (info.param.mode == v1::AUTORESET_MODE_SAME_STEP
                                              ? "SameStep"
                                              : "NextStep");
                         });

}  // namespace
}  // namespace hivewire
