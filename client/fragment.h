// Experience that a server's own policy made: T steps of some lanes, as the wire brought it.
//
// A Fragment owns its message; everything else that it gives are views of it, good for as long as
// it lives, wherever it is moved. Rows are time outermost: lane k's step t is row t * lanes() + k.
// Row t holds what the policy saw (raw: before the policy's own normaliser), what it chose, and
// what came of that.
#ifndef HIVEWIRE_CLIENT_FRAGMENT_H_
#define HIVEWIRE_CLIENT_FRAGMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/leaf_buffer.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/rollout.pb.h"

namespace hivewire {

class Fragment {
 public:
  // Checks that the message is what it says: lanes of `pool`, which CheckPool has passed, its
  // observations, steps, leaves, sizes. DATA_LOSS names the field that is not.
  static absl::StatusOr<Fragment> Parse(v1::Fragment message, const v1::PoolDescription& pool);

  // T, and the lanes by their numbers in the pool.
  size_t length() const { return message_->length(); }
  size_t lanes() const { return static_cast<size_t>(message_->env_ids_size()); }
  absl::Span<const uint32_t> env_ids() const { return message_->env_ids(); }

  // (T * lanes) rows each. Actions are as they were drawn, before they were clipped to a box.
  const std::vector<LeafView>& observations() const { return observations_; }
  const std::vector<LeafView>& actions() const { return actions_; }
  absl::Span<const float> log_probs() const { return log_probs_; }
  // Empty where the policy has no critic.
  absl::Span<const float> values() const { return values_; }
  absl::Span<const double> rewards() const { return rewards_; }
  // Bits of v1::LaneFlag, as a session's batches have them.
  absl::Span<const uint8_t> flags() const { return flags_; }
  absl::Span<const uint64_t> policy_versions() const { return policy_versions_; }

  // After the last step: one row a lane, and the policy's values of them (empty without critic).
  const std::vector<LeafView>& last_observations() const { return last_observations_; }
  absl::Span<const float> last_values() const { return last_values_; }

  // SAME_STEP: rows whose episode ended, ascending, its last observation there, and its value.
  absl::Span<const uint32_t> final_rows() const { return message_->finals().rows(); }
  const std::vector<LeafView>& final_observations() const { return final_observations_; }
  absl::Span<const float> final_values() const { return final_values_; }

  // Episodes that ended, and lanes that failed.
  const google::protobuf::RepeatedPtrField<v1::Episode>& episodes() const {
    return message_->episodes();
  }
  const google::protobuf::RepeatedPtrField<v1::LaneFault>& faults() const {
    return message_->faults();
  }
  // Not OK where the policy itself failed (it chose NaN).
  absl::Status policy_status() const;

  // Comes after a connection broke: fragments may have been lost before it.
  bool after_gap() const { return after_gap_; }
  void set_after_gap(bool after_gap) { after_gap_ = after_gap; }

 private:
  Fragment() = default;

  absl::Status Check(const v1::PoolDescription& pool);
  absl::Status TakePayload();
  absl::Status TakeEnds(const v1::PoolDescription& pool);

  std::unique_ptr<const v1::Fragment> message_;
  std::vector<LeafView> observations_;
  std::vector<LeafView> actions_;
  std::vector<LeafView> last_observations_;
  std::vector<LeafView> final_observations_;
  absl::Span<const float> log_probs_;
  absl::Span<const float> values_;
  absl::Span<const double> rewards_;
  absl::Span<const uint8_t> flags_;
  absl::Span<const uint64_t> policy_versions_;
  absl::Span<const float> last_values_;
  absl::Span<const float> final_values_;
  bool after_gap_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_FRAGMENT_H_
