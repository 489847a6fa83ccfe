// The policy in force of one pool. Whoever publishes puts it here; workers look before each step.
//
// Thread-safe. Looking costs one atomic read while nothing changes.
#ifndef HIVEWIRE_SERVER_ROLLOUT_POLICY_SLOT_H_
#define HIVEWIRE_SERVER_ROLLOUT_POLICY_SLOT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/rollout/rollout_policy.h"

namespace hivewire {

class PolicySlot {
 public:
  // `digest`: of the bytes that it came as. BAD_POLICY for a version that is not higher than the
  // one in force (the same version with the same digest is a retry, and is well), or, while a
  // rollout holds the slot, for one that begins or ceases to give values.
  absl::Status Publish(std::shared_ptr<const RolloutPolicy> policy, std::string digest);

  // Null before the first.
  std::shared_ptr<const RolloutPolicy> Get() const;
  // Rises with each policy.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // Until Unpin, whether policies have a critic stays what it is now. NEEDS_POLICY before the
  // first.
  absl::StatusOr<std::shared_ptr<const RolloutPolicy>> Pin();
  void Unpin();

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const RolloutPolicy> policy_ ABSL_GUARDED_BY(mutex_);
  std::string digest_ ABSL_GUARDED_BY(mutex_);
  bool pinned_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> generation_{0};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_POLICY_SLOT_H_
