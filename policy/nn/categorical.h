// One of a few choices; the model gives the logits.
#ifndef HIVEWIRE_POLICY_NN_CATEGORICAL_H_
#define HIVEWIRE_POLICY_NN_CATEGORICAL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Distribution>> MakeCategorical(const v1::DistributionConfig& config,
                                                              const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_CATEGORICAL_H_
