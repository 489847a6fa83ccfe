// Independent Beta distributions (Chou et al. 2017), one an action element, scaled to the action's
// box; densities are those of the action as it is sent. Both shapes exceed 1 in "beta", so that
// there is one mode:
//   beta:       α = 1 + softplus(a), β = 1 + softplus(b), where the model gives a and b;
//   beta-mean:  α = μ + v, β = 1 − μ + v, where the model gives μ through a sigmoid, and the spread
//               v = softplus(2 + s) has a free parameter s an element, from 0 on.
#ifndef HIVEWIRE_POLICY_NN_BETA_H_
#define HIVEWIRE_POLICY_NN_BETA_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Distribution>> MakeBeta(const v1::DistributionConfig& config,
                                                       const ActionSpace& action);
absl::StatusOr<std::unique_ptr<Distribution>> MakeBetaMean(const v1::DistributionConfig& config,
                                                           const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_BETA_H_
