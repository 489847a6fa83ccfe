#include "policy/nn/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "policy/nn/guard_torch.h"

namespace hivewire {
namespace {

// A minibatch of images frees many megabytes and needs as many for the next one: by default malloc
// gives them back to the kernel, which then clears every page anew.
void KeepFreedMemory() {
  constexpr int kMostOfMmap = 32 << 20;  // malloc takes no larger one
  mallopt(M_MMAP_THRESHOLD, kMostOfMmap);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

absl::Status OpenCuda() {
  // The library registers itself with the part of LibTorch that is linked in, and stays open.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("device is \"cuda\", but LibTorch's CUDA half cannot be opened (", dlerror(),
                     "); set LD_LIBRARY_PATH to the lib folder of an installed torch ",
                     "2.11.0, or use --device=cpu"));
  }
  return GuardTorch("device is \"cuda\"", [] {
    if (!at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0) {
      return absl::FailedPreconditionError(
          "device is \"cuda\", but no CUDA GPU is visible; use --device=cpu");
    }
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
    return absl::OkStatus();
  });
}

}  // namespace

void UseThreads(int threads) { at::set_num_threads(threads); }

absl::StatusOr<c10::Device> OpenDevice(const std::string& name) {
  absl::string_view index = name;
  int gpu = 0;
  const bool numbered = absl::ConsumePrefix(&index, "cuda:");
  if (numbered ? !absl::SimpleAtoi(index, &gpu) || gpu < 0 : name != "cpu" && name != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device is \"", name, "\"; it can be cpu, cuda or cuda:1"));
  }
  KeepFreedMemory();
  if (name == "cpu") return c10::Device(c10::DeviceType::CPU);
  if (absl::Status status = OpenCuda(); !status.ok()) return status;
  if (gpu >= at::detail::getCUDAHooks().deviceCount()) {
    return absl::FailedPreconditionError(absl::StrCat("device is \"", name, "\", but only ",
                                                      at::detail::getCUDAHooks().deviceCount(),
                                                      " CUDA GPUs are visible"));
  }
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(gpu));
}

}  // namespace hivewire
