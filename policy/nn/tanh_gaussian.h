// Independent normals, squashed into the action's box by tanh. Densities are those of the action as
// it is sent, the change of variables included.
#ifndef HIVEWIRE_POLICY_NN_TANH_GAUSSIAN_H_
#define HIVEWIRE_POLICY_NN_TANH_GAUSSIAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Distribution>> MakeTanhGaussian(const v1::DistributionConfig& config,
                                                               const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_TANH_GAUSSIAN_H_
