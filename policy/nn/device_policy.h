// Published policies on a device of LibTorch: what a collector with a GPU of its own runs.
//
// Observations are received into pinned memory, from where the GPU takes them by itself; the
// networks are evaluated there, a whole batch at once, and their outputs come back the same way.
// Actions are drawn from them on the CPU, so that a seed means the same everywhere. Networks on a
// GPU round otherwise than on the CPU, by about 1e-6.
#ifndef HIVEWIRE_POLICY_NN_DEVICE_POLICY_H_
#define HIVEWIRE_POLICY_NN_DEVICE_POLICY_H_

#include <string>

#include "absl/status/statusor.h"
#include "policy/acting_policy.h"

namespace hivewire {

// For a device that OpenDevice knows; its errors. The maker may be called from any thread.
absl::StatusOr<PolicyMaker> MakeDevicePolicies(const std::string& device);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_DEVICE_POLICY_H_
