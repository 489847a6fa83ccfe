// What a pool allocates once it has seen every size that comes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/time/clock.h"
#include "server/pool/pool.h"
#include "server/pool/testing/faulty_task.h"
#include "server/tasks/testing/allocations.h"

namespace hivewire {
namespace {

constexpr uint32_t kLanes = 24;
constexpr int kEpisodeSteps = 7;

std::unique_ptr<Pool> MakePool(Workers& workers) {
  v1::CreatePoolRequest request;
  request.set_num_envs(kLanes);
  request.set_autoreset_mode(v1::AUTORESET_MODE_SAME_STEP);
  auto spec = PoolSpec::Make(MakeFaultyTask(kEpisodeSteps), request);
  EXPECT_TRUE(spec.ok()) << spec.status();
  auto pool = Pool::Create(*std::move(spec), workers, kDefaultStepTimeout);
  EXPECT_TRUE(pool.ok()) << pool.status();
  return *std::move(pool);
}

// Two groups of lanes in turn, each stepped as soon as its results are there. Frames and batches
// are used again, as a session does.
class TwoGroups {
 public:
  explicit TwoGroups(Pool& pool) : pool_(pool), actions_(kLanes / 2) {
    for (uint32_t group = 0; group < 2; ++group) Send(group);
  }
  ~TwoGroups() {
    for (int group = 0; group < 2; ++group) Receive();
  }

  void Round() {
    for (int group = 0; group < 2; ++group) {
      Receive();
      Send(batch_.env_ids(0) % 2);
    }
  }

 private:
  void Send(uint32_t group) {
    step_.Clear();
    for (uint32_t lane = group; lane < kLanes; lane += 2) step_.add_env_ids(lane);
    step_.add_op_nos(op_no_[group]++);
    step_.mutable_actions()->assign(reinterpret_cast<const char*>(actions_.data()),
                                    actions_.size() * sizeof(float));
    ASSERT_EQ(pool_.Step(std::move(step_)), absl::OkStatus());
  }

  void Receive() {
    ASSERT_EQ(pool_.Next(absl::Now() + absl::Seconds(20), ++seq_, batch_), absl::OkStatus());
    ASSERT_EQ(batch_.env_ids_size(), static_cast<int>(kLanes / 2));
  }

  Pool& pool_;
  std::vector<float> actions_;
  uint64_t op_no_[2] = {2, 2};
  uint64_t seq_ = 0;
  v1::StepLanes step_;
  v1::Batch batch_;
};

TEST(PoolAllocations, StepsAndTheEndsOfEpisodesAllocateNothing) {
  Workers workers(2);
  const auto pool = MakePool(workers);
  v1::ResetLanes reset;
  reset.add_op_nos(1);
  ASSERT_EQ(pool->Reset(reset), absl::OkStatus());
  v1::Batch batch;
  ASSERT_EQ(pool->Next(absl::Now() + absl::Seconds(20), 1, batch), absl::OkStatus());

  TwoGroups groups(*pool);
  for (int round = 0; round < 10 * kEpisodeSteps; ++round) groups.Round();
  // An order of events that comes for the first time may need one more list; but not each time.
  int64_t least = INT64_MAX;
  const int64_t begin = AllocationCount();
  for (int window = 0; window < 10; ++window) {
    const int64_t before = AllocationCount();
    for (int round = 0; round < 10 * kEpisodeSteps; ++round) groups.Round();
    least = std::min(least, AllocationCount() - before);
  }
  EXPECT_EQ(least, 0);
  EXPECT_LT(AllocationCount() - begin, 20);
  EXPECT_GT(pool->statistics().episodes, 100u * kLanes);
}

}  // namespace
}  // namespace hivewire
