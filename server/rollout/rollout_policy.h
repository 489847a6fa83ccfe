// A policy fitted to a pool: which bytes of a lane's row it sees, and how its actions are written.
//
// Immutable once made; thread-safe.
#ifndef HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_POLICY_H_
#define HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_POLICY_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/portable/portable_policy.h"
#include "server/pool/pool_spec.h"

namespace hivewire {

class RolloutPolicy {
 public:
  // BAD_POLICY where the policy's observation or action leaves are not the pool's, naming them.
  static absl::StatusOr<std::shared_ptr<const RolloutPolicy>> Fit(
      std::shared_ptr<const PortablePolicy> policy, const PoolSpec& spec);

  const PortablePolicy& policy() const { return *policy_; }
  // From a lane's packed row: observation_dim() floats.
  void Observe(const char* row, float* observation) const;
  // One lane's action (action_dim() numbers) as the pool's action leaves, one after the other
  // without gaps.
  void WriteAction(const double* action, char* to) const;

 private:
  struct ActionLeaf {
    v1::DType dtype;
    size_t elements;
  };

  RolloutPolicy() = default;

  std::shared_ptr<const PortablePolicy> policy_;
  std::vector<RowLeaf> observation_;
  std::vector<ActionLeaf> action_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_POLICY_H_
