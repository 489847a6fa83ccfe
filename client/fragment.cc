#include "client/fragment.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/error.h"
#include "base/layout.h"
#include "client/wire_check.h"

namespace hivewire {
namespace {

// A server that sends this breaks the protocol.
absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("fragment.", what));
}

absl::Status WrongSize(absl::string_view field, size_t bytes, size_t rows, size_t expected) {
  return Wrong(absl::StrCat(field, ": ", bytes, " bytes where ", rows, " rows need ", expected));
}

LeafView ViewOf(const v1::LayoutLeaf& leaf, size_t num_rows, const char* data) {
  return {leaf.dtype(), NumElements(leaf.shape()), leaf.row_bytes(), num_rows, data};
}

// A leaf of single numbers.
template <typename T>
absl::Status TakeNumbers(const v1::LayoutLeaf& leaf, v1::DType dtype, const LeafView& view,
                         absl::Span<const T>& out) {
  if (leaf.dtype() != dtype || view.row_elements != 1) {
    return Wrong(absl::StrCat("layout: leaf \"", leaf.name(), "\" is not one ",
                              v1::DType_Name(dtype), " a row"));
  }
  out = {view.as<T>(), view.num_rows};
  return absl::OkStatus();
}

// Observation leaves of rows that lie by `layout`.
absl::Status TakeObservations(absl::string_view field, const v1::Layout& layout, size_t rows,
                              const std::string& payload, std::vector<LeafView>& out) {
  const PayloadLayout offsets(layout);
  if (payload.size() != offsets.PayloadBytes(rows)) {
    return WrongSize(field, payload.size(), rows, offsets.PayloadBytes(rows));
  }
  for (int k = 0; k < layout.leaves_size(); ++k) {
    const v1::LayoutLeaf& leaf = layout.leaves(k);
    if (leaf.role() != v1::LEAF_ROLE_OBSERVATION) continue;
    out.push_back(
        ViewOf(leaf, rows, payload.data() + offsets.Offset(static_cast<size_t>(k), rows)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Fragment> Fragment::Parse(v1::Fragment message, const v1::PoolDescription& pool) {
  Fragment fragment;
  fragment.message_ = std::make_unique<const v1::Fragment>(std::move(message));
  absl::Status status = fragment.Check(pool);
  if (status.ok()) status = fragment.TakePayload();
  if (status.ok()) status = fragment.TakeEnds(pool);
  if (!status.ok()) return status;
  return fragment;
}

absl::Status Fragment::Check(const v1::PoolDescription& pool) {
  if (length() < 1) return Wrong("length: 0 steps");
  if (lanes() == 0) return Wrong("env_ids: no lane is named");
  std::vector<bool> seen(pool.num_envs());
  for (const uint32_t lane : env_ids()) {
    if (lane >= seen.size()) {
      return Wrong(absl::StrCat("env_ids: lane ", lane, " is not below ", seen.size()));
    }
    if (seen[lane]) return Wrong(absl::StrCat("env_ids: lane ", lane, " stands twice"));
    seen[lane] = true;
  }
  absl::Status status = CheckLayout("fragment.layout", message_->layout());
  // Its observations stand beside the last ones, which lie as the pool says.
  if (status.ok()) {
    status = CheckSameLeaves("fragment.layout", v1::LEAF_ROLE_OBSERVATION, pool.final_layout(),
                             message_->layout());
  }
  if (!status.ok()) return status;
  size_t row_bytes = 0;
  for (const v1::LayoutLeaf& leaf : message_->layout().leaves()) {
    if (__builtin_add_overflow(row_bytes, leaf.row_bytes(), &row_bytes)) row_bytes = SIZE_MAX;
  }
  // Neither factor of the payload's size exceeds it: so no product overflows.
  const size_t bytes = message_->payload().size();
  if (row_bytes > bytes) return WrongSize("payload", bytes, 1, row_bytes);
  const size_t rows = length() * lanes();
  if (rows > bytes) return WrongSize("payload", bytes, rows, rows);
  return absl::OkStatus();
}

absl::Status Fragment::TakePayload() {
  const v1::Layout& layout = message_->layout();
  const size_t rows = length() * lanes();
  const PayloadLayout offsets(layout);
  const std::string& payload = message_->payload();
  if (payload.size() != offsets.PayloadBytes(rows)) {
    return WrongSize("payload", payload.size(), rows, offsets.PayloadBytes(rows));
  }
  std::vector<size_t> starts;
  offsets.Offsets(rows, starts);
  for (int k = 0; k < layout.leaves_size(); ++k) {
    const v1::LayoutLeaf& leaf = layout.leaves(k);
    const LeafView view = ViewOf(leaf, rows, payload.data() + starts[static_cast<size_t>(k)]);
    absl::Status status;
    switch (leaf.role()) {
      case v1::LEAF_ROLE_OBSERVATION:
        observations_.push_back(view);
        break;
      case v1::LEAF_ROLE_ACTION:
        actions_.push_back(view);
        break;
      case v1::LEAF_ROLE_LOG_PROB:
        status = TakeNumbers(leaf, v1::DTYPE_FLOAT32, view, log_probs_);
        break;
      case v1::LEAF_ROLE_VALUE:
        status = TakeNumbers(leaf, v1::DTYPE_FLOAT32, view, values_);
        break;
      case v1::LEAF_ROLE_REWARD:
        status = TakeNumbers(leaf, v1::DTYPE_FLOAT64, view, rewards_);
        break;
      case v1::LEAF_ROLE_FLAGS:
        status = TakeNumbers(leaf, v1::DTYPE_UINT8, view, flags_);
        break;
      case v1::LEAF_ROLE_POLICY_VERSION:
        status = TakeNumbers(leaf, v1::DTYPE_UINT64, view, policy_versions_);
        break;
      default:  // of a newer server
        break;
    }
    if (!status.ok()) return status;
  }
  for (const auto& [name, there] :
       {std::pair("observation", !observations_.empty()), std::pair("action", !actions_.empty()),
        std::pair("log_prob", !log_probs_.empty()), std::pair("reward", !rewards_.empty()),
        std::pair("flags", !flags_.empty()),
        std::pair("policy_version", !policy_versions_.empty())}) {
    if (!there) return Wrong(absl::StrCat("layout: there is no leaf of ", name));
  }
  return absl::OkStatus();
}

absl::Status Fragment::TakeEnds(const v1::PoolDescription& pool) {
  absl::Status status = TakeObservations("last_observation", pool.final_layout(), lanes(),
                                         message_->last_observation(), last_observations_);
  if (!status.ok()) return status;
  const auto finals = static_cast<size_t>(message_->finals().rows_size());
  int64_t before = -1;
  for (const uint32_t row : final_rows()) {
    if (row <= before || row >= length() * lanes()) {
      return Wrong(
          absl::StrCat("finals.rows: row ", row, " after ", before, " of ", length() * lanes()));
    }
    before = row;
  }
  status = TakeObservations("finals.payload", pool.final_layout(), finals,
                            message_->finals().payload(), final_observations_);
  if (!status.ok()) return status;
  const std::string& bootstrap = message_->bootstrap_values();
  const size_t expected = values_.empty() ? 0 : (lanes() + finals) * sizeof(float);
  if (bootstrap.size() != expected) {
    return WrongSize("bootstrap_values", bootstrap.size(), lanes() + finals, expected);
  }
  if (values_.empty()) return absl::OkStatus();
  const auto* bootstrap_values = reinterpret_cast<const float*>(bootstrap.data());
  last_values_ = {bootstrap_values, lanes()};
  final_values_ = {bootstrap_values + lanes(), finals};
  return absl::OkStatus();
}

absl::Status Fragment::policy_status() const { return FromProto(message_->status()); }

}  // namespace hivewire
