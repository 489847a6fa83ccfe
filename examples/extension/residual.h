// Two towers of residual blocks, x + W₂ relu(W₁ x), one for the policy and one for the value, as
// wide as the first of model.hidden and as many blocks as it has widths.
#ifndef EXTENSION_RESIDUAL_H_
#define EXTENSION_RESIDUAL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/model.h"

namespace extension {

absl::StatusOr<std::unique_ptr<hivewire::Model>> MakeResidual(
    const hivewire::v1::ModelConfig& config, const hivewire::ModelShape& shape,
    at::Generator& generator);

}  // namespace extension

#endif  // EXTENSION_RESIDUAL_H_
