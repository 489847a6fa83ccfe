// Ten thousand lane faults beside healthy lanes: no neighbour's trajectory changes by a bit.
#include <gtest/gtest.h>

#include <cmath>

#include "absl/time/clock.h"
#include "server/pool/pool.h"
#include "server/pool/testing/fault_injector.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

constexpr uint32_t kLanes = 64;
constexpr int kFrames = 960;  // every odd lane fails in every third of them

struct Outcome {
  std::string healthy;  // rows of the even lanes
  uint64_t faults = 0;
};

Outcome RunPool(bool inject, int num_workers) {
  Workers workers(num_workers);
  v1::CreatePoolRequest request;
  request.set_num_envs(kLanes);
  request.set_max_episode_steps(50);
  request.set_autoreset_mode(v1::AUTORESET_MODE_SAME_STEP);
  auto pool = *Pool::Create(
      *PoolSpec::Make(InjectFaults(*BuiltinEnvs().Make("Hopper-v5", {})), request), workers);
  v1::ResetLanes reset;
  reset.add_op_nos(1);
  for (uint64_t lane = 0; lane < kLanes; ++lane) reset.add_seeds(lane);
  EXPECT_TRUE(pool->Reset(reset).ok());
  v1::Batch batch;
  EXPECT_TRUE(pool->Next(absl::Now() + absl::Minutes(1), 1, batch).ok());
  Outcome outcome;
  for (int frame = 0; frame < kFrames; ++frame) {
    v1::StepLanes step;
    const uint64_t op_no = static_cast<uint64_t>(frame) + 2;
    step.add_op_nos(op_no);
    std::vector<float> actions(kLanes * 3);
    for (size_t k = 0; k < actions.size(); ++k)
      actions[k] = static_cast<float>(std::sin(frame * 0.37 + static_cast<double>(k)));
    for (uint32_t lane = 1; inject && lane < kLanes; lane += 2) {
      if (frame % 3 == 0)
        actions[3 * lane] = kFirstFault + static_cast<float>((frame / 3 + lane) % kNumFaults);
    }
    step.set_actions(
        std::string(reinterpret_cast<const char*>(actions.data()), 4 * actions.size()));
    EXPECT_TRUE(pool->Step(std::move(step)).ok());
    EXPECT_TRUE(pool->Next(absl::Now() + absl::Minutes(1), op_no, batch).ok());
    const PayloadLayout& layout = pool->spec().result_layout();
    for (size_t leaf = 0; leaf < layout.num_leaves(); ++leaf) {
      const size_t bytes = layout.row_bytes(leaf);
      for (uint32_t lane = 0; lane < kLanes; lane += 2) {
        outcome.healthy +=
            batch.payload().substr(layout.Offset(leaf, kLanes) + lane * bytes, bytes);
      }
    }
    for (const v1::LaneFault& fault : batch.faults()) EXPECT_EQ(fault.env_id() % 2, 1u);
  }
  outcome.faults = pool->statistics().faults;
  return outcome;
}

TEST(Faults, TenThousandOfThemChangeNoNeighbourByABit) {
  const Outcome alone = RunPool(/*inject=*/false, 2);
  EXPECT_EQ(alone.faults, 0u);
  const Outcome beside = RunPool(/*inject=*/true, 2);
  EXPECT_GE(beside.faults, 10000u);
  EXPECT_TRUE(beside.healthy == alone.healthy);
  RecordProperty("faults", static_cast<int>(beside.faults));
}

}  // namespace
}  // namespace hivewire
