// Independent normals, one an action element. Actions are not squashed; the env's box clips them on
// their way out.
#ifndef HIVEWIRE_POLICY_NN_GAUSSIAN_H_
#define HIVEWIRE_POLICY_NN_GAUSSIAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Distribution>> MakeGaussian(const v1::DistributionConfig& config,
                                                           const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_GAUSSIAN_H_
