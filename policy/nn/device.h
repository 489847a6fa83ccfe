// Where and how LibTorch computes. Process-wide settings, malloc's among them: call before any
// other use of LibTorch.
#ifndef HIVEWIRE_POLICY_NN_DEVICE_H_
#define HIVEWIRE_POLICY_NN_DEVICE_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/status/statusor.h"

namespace hivewire {

// "cpu" or "cuda". For "cuda" opens
// libtorch_cuda.so, which the loader must find beside the CUDA libraries (a pip installation of
// torch has both): FAILED_PRECONDITION says what is absent.
absl::StatusOr<c10::Device> OpenDevice(const std::string& name);

// Each operation is computed by so many threads from now on.
void UseThreads(int threads);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_DEVICE_H_
