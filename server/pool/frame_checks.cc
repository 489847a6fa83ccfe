#include "server/pool/frame_checks.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/layout.h"

namespace hivewire {
namespace {

template <typename T>
bool AllFinite(const char* from, size_t count, size_t& bad) {
  for (size_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof(T), sizeof(T));
    if (!std::isfinite(value)) {
      bad = k;
      return false;
    }
  }
  return true;
}

template <typename T>
bool AllBetween(const char* from, size_t count, int64_t first, int64_t end, size_t& bad) {
  for (size_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof(T), sizeof(T));
    if (static_cast<int64_t>(value) < first || static_cast<int64_t>(value) >= end) {
      bad = k;
      return false;
    }
  }
  return true;
}

bool AllInRange(const v1::LeafSpec& leaf, const char* from, size_t count, size_t& bad) {
  const int64_t end = leaf.start() + leaf.cardinality();
  switch (leaf.dtype()) {
    case v1::DTYPE_INT64:
      return AllBetween<int64_t>(from, count, leaf.start(), end, bad);
    case v1::DTYPE_INT32:
      return AllBetween<int32_t>(from, count, leaf.start(), end, bad);
    default:
      return AllBetween<uint8_t>(from, count, leaf.start(), end, bad);
  }
}

}  // namespace

absl::Status CheckLanes(const PoolSpec& spec,
                        const google::protobuf::RepeatedField<uint32_t>& env_ids,
                        std::vector<bool>& seen, std::vector<uint32_t>& lanes) {
  lanes.assign(env_ids.begin(), env_ids.end());
  if (lanes.empty()) {
    lanes.resize(spec.num_lanes());
    std::iota(lanes.begin(), lanes.end(), 0);
    return absl::OkStatus();
  }
  seen.assign(spec.num_lanes(), false);
  for (size_t row = 0; row < lanes.size(); ++row) {
    const uint32_t lane = lanes[row];
    if (lane >= spec.num_lanes()) {
      return MakeError(
          v1::ERROR_REASON_BAD_ENV_ID,
          absl::StrCat("env_ids[", row, "]: lane ", lane, " is not below ", spec.num_lanes()),
          "env_ids", absl::StrCat(lane));
    }
    if (seen[lane]) {
      return MakeError(
          v1::ERROR_REASON_BAD_ENV_ID,
          absl::StrCat("env_ids[", row, "]: lane ", lane, " stands twice in the frame"), "env_ids",
          absl::StrCat(lane));
    }
    seen[lane] = true;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> CheckLanes(
    const PoolSpec& spec, const google::protobuf::RepeatedField<uint32_t>& env_ids) {
  std::vector<bool> seen;
  std::vector<uint32_t> lanes;
  const absl::Status status = CheckLanes(spec, env_ids, seen, lanes);
  if (!status.ok()) return status;
  return lanes;
}

absl::Status CheckActions(const PoolSpec& spec, absl::Span<const uint32_t> lanes,
                          const std::string& actions) {
  const PayloadLayout& layout = spec.action_layout();
  const size_t rows = lanes.size();
  if (actions.size() != layout.PayloadBytes(rows)) {
    return MakeError(
        v1::ERROR_REASON_BAD_SHAPE,
        absl::StrCat("actions: ", actions.size(), " bytes where ", rows,
                     " lanes of this pool's action layout need ", layout.PayloadBytes(rows)),
        "actions", absl::StrCat(actions.size()));
  }
  absl::Status status;
  layout.ForEachLeaf(rows, [&](size_t k, size_t offset) {
    if (!status.ok()) return;
    const v1::LeafSpec& leaf = spec.description().spec().action(static_cast<int>(k));
    const char* slab = actions.data() + offset;
    const size_t count = rows * layout.row_bytes(k) / SizeOf(leaf.dtype());
    size_t bad = 0;
    bool good = true;
    if (leaf.dtype() == v1::DTYPE_FLOAT32) {
      good = AllFinite<float>(slab, count, bad);
    } else if (leaf.dtype() == v1::DTYPE_FLOAT64) {
      good = AllFinite<double>(slab, count, bad);
    } else if (leaf.cardinality() > 0) {
      good = AllInRange(leaf, slab, count, bad);
    }
    if (good) return;
    const size_t row_elements = count / rows;
    const std::string accepted =
        leaf.cardinality() > 0
            ? absl::StrCat("is not in ", leaf.start(), " … ", leaf.start() + leaf.cardinality() - 1)
            : "is not finite";
    status = MakeError(
        v1::ERROR_REASON_BAD_ACTION,
        absl::StrCat("actions: leaf \"", leaf.name(), "\" of lane ", lanes[bad / row_elements],
                     ", element ", bad % row_elements, " ", accepted),
        "actions", absl::StrCat("lane ", lanes[bad / row_elements]));
  });
  return status;
}

}  // namespace hivewire
