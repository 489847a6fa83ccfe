#include "server/rollout/policy_slot.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {

absl::Status PolicySlot::Publish(std::shared_ptr<const RolloutPolicy> policy, std::string digest) {
  MutexLock lock(mutex_);
  if (policy_ != nullptr) {
    const uint64_t version = policy->policy().version();
    const uint64_t in_force = policy_->policy().version();
    if (version == in_force && digest == digest_) return absl::OkStatus();
    if (version <= in_force) {
      return MakeError(
          v1::ERROR_REASON_BAD_POLICY,
          absl::StrCat("version: ", version, " where ", in_force, " is in force; versions rise"),
          "version", absl::StrCat(version));
    }
    if (pinned_ && policy->policy().has_critic() != policy_->policy().has_critic()) {
      return MakeError(v1::ERROR_REASON_BAD_POLICY,
                       policy_->policy().has_critic()
                           ? "critic: is empty; fragments that are being collected have values"
                           : "critic: fragments that are being collected have no values",
                       "critic");
    }
  }
  policy_ = std::move(policy);
  digest_ = std::move(digest);
  generation_.fetch_add(1, std::memory_order_release);
  return absl::OkStatus();
}

std::shared_ptr<const RolloutPolicy> PolicySlot::Get() const {
  MutexLock lock(mutex_);
  return policy_;
}

absl::StatusOr<std::shared_ptr<const RolloutPolicy>> PolicySlot::Pin() {
  MutexLock lock(mutex_);
  if (policy_ == nullptr) {
    return MakeError(v1::ERROR_REASON_NEEDS_POLICY, "no policy was published to this pool yet",
                     "pool_id");
  }
  pinned_ = true;
  return policy_;
}

void PolicySlot::Unpin() {
  MutexLock lock(mutex_);
  pinned_ = false;
}

}  // namespace hivewire
