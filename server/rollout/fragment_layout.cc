#include "server/rollout/fragment_layout.h"

#include "base/version.h"

namespace hivewire {
namespace {

// On the wire, at most, with tag and length.
constexpr size_t kEpisodeBytes = 64;
constexpr size_t kFaultBytes = 1024;
constexpr size_t kRowIndexBytes = 5;
constexpr size_t kMessageBytes = 8192;  // layout, status, tags

}  // namespace

FragmentLayout::FragmentLayout(const PoolSpec& spec, size_t length, bool has_values)
    : spec_(spec), length_(length), has_values_(has_values) {
  const v1::PoolDescription& pool = spec.description();
  for (const RowLeaf& leaf : spec.observation())
    *wire_.add_leaves() = pool.result_layout().leaves(static_cast<int>(leaf.layout_leaf));
  action_ = static_cast<size_t>(wire_.leaves_size());
  for (const v1::LayoutLeaf& leaf : pool.action_layout().leaves()) *wire_.add_leaves() = leaf;
  log_prob_ = static_cast<size_t>(wire_.leaves_size());
  const auto add = [&](absl::string_view name, v1::LeafRole role, v1::DType dtype) {
    *wire_.add_leaves() = MakeLayoutLeaf(name, role, dtype);
  };
  add("log_prob", v1::LEAF_ROLE_LOG_PROB, v1::DTYPE_FLOAT32);
  if (has_values) add("value", v1::LEAF_ROLE_VALUE, v1::DTYPE_FLOAT32);
  add("reward", v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64);
  add("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8);
  add("policy_version", v1::LEAF_ROLE_POLICY_VERSION, v1::DTYPE_UINT64);
  SetLayoutHash(pool.spec().engine(), kEdition, wire_);
  payload_ = PayloadLayout(wire_);
}

size_t FragmentLayout::MessageBytes(size_t lanes) const {
  const size_t rows = length_ * lanes;
  size_t bytes = kMessageBytes + payload_.PayloadBytes(rows) +
                 spec_.final_layout().PayloadBytes(lanes) + lanes * (kFaultBytes + sizeof(float)) +
                 rows * kEpisodeBytes;
  if (spec_.autoreset_mode() == v1::AUTORESET_MODE_SAME_STEP) {
    // Every row may end an episode.
    bytes += spec_.final_layout().PayloadBytes(rows) + rows * (kRowIndexBytes + sizeof(float));
  }
  return bytes;
}

size_t FragmentLayout::MaxLanes(size_t max_bytes) const {
  size_t low = 0;
  size_t high = spec_.num_lanes() + 1;
  while (low + 1 < high) {
    const size_t middle = low + (high - low) / 2;
    (MessageBytes(middle) <= max_bytes ? low : high) = middle;
  }
  return low;
}

}  // namespace hivewire
