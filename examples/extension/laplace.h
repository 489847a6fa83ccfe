// The Laplace distribution: heavier tails than a Gaussian's. It takes what the model gives as the
// locations, and has one free scale an element.
#ifndef EXTENSION_LAPLACE_H_
#define EXTENSION_LAPLACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"

namespace extension {

absl::StatusOr<std::unique_ptr<hivewire::Distribution>> MakeLaplace(
    const hivewire::v1::DistributionConfig& config, const hivewire::ActionSpace& action);

}  // namespace extension

#endif  // EXTENSION_LAPLACE_H_
