// Uniformly random actions, as a policy that travels like any other: what explores before anything
// is known.
#ifndef HIVEWIRE_POLICY_RANDOM_POLICY_H_
#define HIVEWIRE_POLICY_RANDOM_POLICY_H_

#include "hivewire/v1/policy.pb.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// For observations of this width. Uniform over a box or over choices; a box without bounds gets
// standard normals. Leaves and version are the caller's to add.
v1::Policy RandomPolicy(const v1::LeafSpec& action, int observation_dim);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RANDOM_POLICY_H_
