// Several choices at once, each independent of the others given the logits.
#ifndef HIVEWIRE_POLICY_NN_MULTI_CATEGORICAL_H_
#define HIVEWIRE_POLICY_NN_MULTI_CATEGORICAL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Distribution>> MakeMultiCategorical(
    const v1::DistributionConfig& config, const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_MULTI_CATEGORICAL_H_
