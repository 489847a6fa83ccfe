#include "client/wire_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace hivewire {
namespace {

constexpr uint32_t kLanes = 4;

v1::PoolDescription Pool() {
  v1::LeafSpec state;
  state.set_name("state");
  state.set_dtype(v1::DTYPE_FLOAT64);
  state.add_shape(3);
  v1::PoolDescription pool;
  pool.set_num_envs(kLanes);
  v1::Layout& result = *pool.mutable_result_layout();
  *result.add_leaves() = MakeLayoutLeaf(state, v1::LEAF_ROLE_OBSERVATION);
  *result.add_leaves() = MakeLayoutLeaf("reward", v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64);
  *result.add_leaves() = MakeLayoutLeaf("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8);
  *result.add_leaves() = MakeLayoutLeaf("op_no", v1::LEAF_ROLE_OP_NO, v1::DTYPE_UINT64);
  *result.add_leaves() = MakeLayoutLeaf("seed", v1::LEAF_ROLE_SEED, v1::DTYPE_UINT64);
  *result.add_leaves() = MakeLayoutLeaf("episode", v1::LEAF_ROLE_EPISODE, v1::DTYPE_UINT64);
  *result.add_leaves() = MakeLayoutLeaf("speed", v1::LEAF_ROLE_INFO, v1::DTYPE_FLOAT64);
  v1::Layout& final_layout = *pool.mutable_final_layout();
  *final_layout.add_leaves() = MakeLayoutLeaf(state, v1::LEAF_ROLE_OBSERVATION);
  *final_layout.add_leaves() = MakeLayoutLeaf("speed", v1::LEAF_ROLE_INFO, v1::DTYPE_FLOAT64);
  *pool.mutable_action_layout()->add_leaves() =
      MakeLayoutLeaf("action", v1::LEAF_ROLE_ACTION, v1::DTYPE_FLOAT32);
  return pool;
}

// A change for the worse, and what the error names.
template <typename Message>
struct Fault {
  std::function<void(Message&)> make;
  std::string names;
};

TEST(CheckPool, NamesWhatIsNotAsItShouldBe) {
  EXPECT_TRUE(CheckPool(Pool(), kLanes).ok()) << CheckPool(Pool(), kLanes);
  EXPECT_TRUE(CheckPool(Pool(), 0).ok());
  using Leaves = google::protobuf::RepeatedPtrField<v1::LayoutLeaf>;
  const auto leaves = [](v1::PoolDescription& pool) -> Leaves& {
    return *pool.mutable_result_layout()->mutable_leaves();
  };
  const std::vector<Fault<v1::PoolDescription>> faults = {
      {[](auto& pool) { pool.set_num_envs(5); }, "pool.num_envs: 5"},
      {[](auto& pool) { pool.set_num_envs(0); }, "pool.num_envs: 0"},
      {[&](auto& pool) { leaves(pool)[0].set_row_bytes(0); }, "\"state\""},
      {[&](auto& pool) { leaves(pool)[0].set_shape(0, -1); }, "\"state\""},
      {[&](auto& pool) {
         leaves(pool)[0].set_shape(0, int64_t{1} << 39);
         leaves(pool)[0].add_shape(int64_t{1} << 39);
         leaves(pool)[0].set_row_bytes(0);
       },
       "\"state\""},
      {[&](auto& pool) { leaves(pool)[1].set_dtype(v1::DTYPE_UNSPECIFIED); }, "\"reward\""},
      {[&](auto& pool) {
         leaves(pool)[1].set_dtype(v1::DTYPE_FLOAT32);
         leaves(pool)[1].set_row_bytes(4);
       },
       "LEAF_ROLE_REWARD"},
      {[&](auto& pool) { leaves(pool).DeleteSubrange(3, 1); }, "0 leaves of LEAF_ROLE_OP_NO"},
      {[&](auto& pool) { *leaves(pool).Add() = leaves(pool)[4]; }, "2 leaves of LEAF_ROLE_SEED"},
      {[](auto& pool) { pool.mutable_final_layout()->mutable_leaves()->RemoveLast(); },
       "pool.final_layout"},
      {[](auto& pool) { pool.mutable_final_layout()->mutable_leaves()->SwapElements(0, 1); },
       "pool.final_layout"},
      {[](auto& pool) { pool.mutable_action_layout()->mutable_leaves(0)->set_row_bytes(3); },
       "pool.action_layout: leaf \"action\""},
  };
  for (const auto& fault : faults) {
    v1::PoolDescription pool = Pool();
    fault.make(pool);
    const absl::Status status = CheckPool(pool, kLanes);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << fault.names;
    EXPECT_TRUE(absl::StrContains(status.message(), fault.names)) << status;
  }
}

TEST(CheckBatch, NamesWhatIsNotAsItShouldBe) {
  const PayloadLayout result(Pool().result_layout()), final_layout(Pool().final_layout());
  v1::Batch good;
  good.add_env_ids(1);
  good.add_env_ids(3);
  good.mutable_payload()->resize(result.PayloadBytes(2));
  good.mutable_finals()->add_rows(1);
  good.mutable_finals()->mutable_payload()->resize(final_layout.PayloadBytes(1));
  good.add_episodes()->set_env_id(3);
  good.add_faults()->set_env_id(1);
  EXPECT_TRUE(CheckBatch(good, result, final_layout, kLanes).ok());
  const std::vector<Fault<v1::Batch>> faults = {
      {[](auto& batch) { batch.mutable_payload()->pop_back(); }, "batch.payload: 2 rows"},
      {[](auto& batch) { batch.mutable_finals()->clear_payload(); },
       "batch.finals.payload: 1 rows"},
      {[](auto& batch) { batch.set_env_ids(0, 4); }, "batch.env_ids: 4 is not below 4"},
      {[](auto& batch) { batch.mutable_finals()->set_rows(0, 2); }, "batch.finals.rows: 2"},
      {[](auto& batch) { batch.mutable_episodes(0)->set_env_id(1u << 31); },
       "batch.episodes.env_id: 2147483648"},
      {[](auto& batch) { batch.mutable_faults(0)->set_env_id(9); }, "batch.faults.env_id: 9"},
  };
  for (const auto& fault : faults) {
    v1::Batch batch = good;
    fault.make(batch);
    const absl::Status status = CheckBatch(batch, result, final_layout, kLanes);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << fault.names;
    EXPECT_TRUE(absl::StrContains(status.message(), fault.names)) << status;
  }
}

}  // namespace
}  // namespace hivewire
