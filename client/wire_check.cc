#include "client/wire_check.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 40;

absl::Status Wrong(absl::string_view what) { return absl::DataLossError(what); }

// 0 for a leaf that cannot be.
size_t RowBytes(const v1::LayoutLeaf& leaf) {
  size_t bytes = SizeOf(leaf.dtype());
  for (const int64_t extent : leaf.shape()) {
    if (extent < 0 || extent > kMostElements) return 0;
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(extent), &bytes)) return 0;
  }
  return bytes;
}

bool IsEmpty(const v1::LayoutLeaf& leaf) {
  return std::find(leaf.shape().begin(), leaf.shape().end(), 0) != leaf.shape().end();
}

std::vector<const v1::LayoutLeaf*> LeavesOf(const v1::Layout& layout, v1::LeafRole role) {
  std::vector<const v1::LayoutLeaf*> leaves;
  for (const v1::LayoutLeaf& leaf : layout.leaves()) {
    if (leaf.role() == role) leaves.push_back(&leaf);
  }
  return leaves;
}

bool SameLeaf(const v1::LayoutLeaf& a, const v1::LayoutLeaf& b) {
  return a.name() == b.name() && a.dtype() == b.dtype() &&
         std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end());
}

}  // namespace

absl::Status CheckLayout(absl::string_view field, const v1::Layout& layout) {
  for (const v1::LayoutLeaf& leaf : layout.leaves()) {
    const size_t bytes = RowBytes(leaf);
    if (SizeOf(leaf.dtype()) > 0 && leaf.row_bytes() == bytes && (bytes > 0 || IsEmpty(leaf))) {
      continue;
    }
    return Wrong(absl::StrCat(field, ": leaf \"", leaf.name(), "\" of dtype ",
                              v1::DType_Name(leaf.dtype()), " has rows of ", leaf.row_bytes(),
                              " bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckPool(const v1::PoolDescription& pool, uint32_t num_envs) {
  if (pool.num_envs() == 0 || (num_envs != 0 && pool.num_envs() != num_envs)) {
    return Wrong(absl::StrCat("pool.num_envs: ", pool.num_envs(), " lanes where ",
                              num_envs == 0 ? "1 or more" : absl::StrCat(num_envs),
                              " were asked for"));
  }
  for (const auto& [field, layout] : {std::pair("pool.result_layout", &pool.result_layout()),
                                      std::pair("pool.final_layout", &pool.final_layout()),
                                      std::pair("pool.action_layout", &pool.action_layout())}) {
    if (absl::Status status = CheckLayout(field, *layout); !status.ok()) return status;
  }
  for (const auto& [role, dtype] : {std::pair(v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64),
                                    std::pair(v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8),
                                    std::pair(v1::LEAF_ROLE_OP_NO, v1::DTYPE_UINT64),
                                    std::pair(v1::LEAF_ROLE_SEED, v1::DTYPE_UINT64),
                                    std::pair(v1::LEAF_ROLE_EPISODE, v1::DTYPE_UINT64)}) {
    const auto leaves = LeavesOf(pool.result_layout(), role);
    if (leaves.size() == 1 && leaves[0]->dtype() == dtype &&
        leaves[0]->row_bytes() == SizeOf(dtype)) {
      continue;
    }
    return Wrong(absl::StrCat("pool.result_layout: ", leaves.size(), " leaves of ",
                              v1::LeafRole_Name(role), " where one ", v1::DType_Name(dtype),
                              " a row belongs"));
  }
  // Observations first, then infos.
  const auto observations = LeavesOf(pool.result_layout(), v1::LEAF_ROLE_OBSERVATION);
  const auto infos = LeavesOf(pool.result_layout(), v1::LEAF_ROLE_INFO);
  std::vector<const v1::LayoutLeaf*> ends = observations;
  ends.insert(ends.end(), infos.begin(), infos.end());
  const auto& finals = pool.final_layout().leaves();
  const bool same = std::equal(ends.begin(), ends.end(), finals.begin(), finals.end(),
                               [](const v1::LayoutLeaf* a, const v1::LayoutLeaf& b) {
                                 return a->role() == b.role() && SameLeaf(*a, b);
                               });
  if (same) return absl::OkStatus();
  return Wrong("pool.final_layout: its leaves are not the result's observations and infos");
}

absl::Status CheckSameLeaves(absl::string_view field, v1::LeafRole role, const v1::Layout& expected,
                             const v1::Layout& got) {
  const auto a = LeavesOf(expected, role);
  const auto b = LeavesOf(got, role);
  const bool same = std::equal(a.begin(), a.end(), b.begin(), b.end(),
                               [](const auto* x, const auto* y) { return SameLeaf(*x, *y); });
  if (same) return absl::OkStatus();
  return Wrong(
      absl::StrCat(field, ": its leaves of ", v1::LeafRole_Name(role), " are not the pool's"));
}

absl::Status CheckBatch(const v1::Batch& batch, const PayloadLayout& result_layout,
                        const PayloadLayout& final_layout, uint32_t num_envs) {
  const auto rows = static_cast<size_t>(batch.env_ids_size());
  const auto finals = static_cast<size_t>(batch.finals().rows_size());
  for (const auto& [field, size, expected, of] :
       {std::tuple("payload", batch.payload().size(), result_layout.PayloadBytes(rows), rows),
        std::tuple("finals.payload", batch.finals().payload().size(),
                   final_layout.PayloadBytes(finals), finals)}) {
    if (size == expected) continue;
    return Wrong(
        absl::StrCat("batch.", field, ": ", of, " rows have ", size, " bytes, not ", expected));
  }
  const auto below = [](absl::string_view field, size_t number, size_t end) {
    if (number < end) return absl::OkStatus();
    return Wrong(absl::StrCat("batch.", field, ": ", number, " is not below ", end));
  };
  absl::Status status;
  for (const uint32_t lane : batch.env_ids()) status.Update(below("env_ids", lane, num_envs));
  for (const uint32_t row : batch.finals().rows()) status.Update(below("finals.rows", row, rows));
  for (const v1::Episode& episode : batch.episodes()) {
    status.Update(below("episodes.env_id", episode.env_id(), num_envs));
  }
  for (const v1::LaneFault& fault : batch.faults()) {
    status.Update(below("faults.env_id", fault.env_id(), num_envs));
  }
  return status;
}

}  // namespace hivewire
