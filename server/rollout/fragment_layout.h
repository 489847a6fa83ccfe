// How the fragments of a rollout lie in memory and on the wire: the leaves of a row, and how many
// lanes go into one message.
//
// Immutable once made.
#ifndef HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_LAYOUT_H_
#define HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_LAYOUT_H_

#include <cstddef>
#include <vector>

#include "base/layout.h"
#include "hivewire/v1/rollout.pb.h"
#include "server/pool/pool_spec.h"

namespace hivewire {

class FragmentLayout {
 public:
  FragmentLayout(const PoolSpec& spec, size_t length, bool has_values);

  const v1::Layout& wire() const { return wire_; }
  const PayloadLayout& payload() const { return payload_; }
  // T.
  size_t length() const { return length_; }
  bool has_values() const { return has_values_; }

  // Leaves: observations begin at 0, in the order of spec.observation(); then the actions, and
  // these.
  size_t action() const { return action_; }
  size_t log_prob() const { return log_prob_; }
  size_t value() const { return log_prob_ + 1; }  // where there are values
  size_t reward() const { return log_prob_ + (has_values_ ? 2 : 1); }
  size_t flags() const { return reward() + 1; }
  size_t policy_version() const { return reward() + 2; }

  // At most, of a message with the fragments of so many lanes.
  size_t MessageBytes(size_t lanes) const;
  // The most lanes whose message is not larger; 0 for not even one.
  size_t MaxLanes(size_t max_bytes) const;

 private:
  const PoolSpec& spec_;
  const size_t length_;
  const bool has_values_;
  size_t action_ = 0;
  size_t log_prob_ = 0;
  v1::Layout wire_;
  PayloadLayout payload_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_LAYOUT_H_
