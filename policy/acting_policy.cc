#include "policy/acting_policy.h"

#include <utility>

namespace hivewire {
namespace {

class CpuPolicy : public ActingPolicy {
 public:
  explicit CpuPolicy(std::shared_ptr<const PortablePolicy> policy) : policy_(std::move(policy)) {}

  const PortablePolicy& portable() const override { return *policy_; }
  absl::Status Act(absl::Span<const Draw> draws, PolicyScratch& scratch) const override {
    policy_->Act(draws, /*deterministic=*/false, scratch);
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<const PortablePolicy> policy_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ActingPolicy>> MakeCpuPolicy(const v1::Policy& policy) {
  auto portable = PortablePolicy::Create(policy, {.may_remember = true});
  if (!portable.ok()) return portable.status();
  return std::make_shared<CpuPolicy>(*std::move(portable));
}

}  // namespace hivewire
