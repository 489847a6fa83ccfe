// A model's layers by name: what ModelConfig.architecture stands for.
//
// Free of LibTorch.
#ifndef HIVEWIRE_POLICY_NN_ARCHITECTURE_H_
#define HIVEWIRE_POLICY_NN_ARCHITECTURE_H_

#include "absl/status/status.h"
#include "hivewire/v1/learner.pb.h"

namespace hivewire {

// Whether a model of this type remembers.
bool IsRecurrent(const v1::ModelConfig& config);
// Whether a model of these settings sees images as such.
bool HasConvolutions(const v1::ModelConfig& config);

// Fills in the widths that `config` does not give itself. INVALID_ARGUMENT for an architecture that
// there is not, or a width that cannot be.
absl::Status ResolveArchitecture(v1::ModelConfig& config);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_ARCHITECTURE_H_
