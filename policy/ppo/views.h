// Memory as a tensor, and back, without a copy.
#ifndef HIVEWIRE_POLICY_PPO_VIEWS_H_
#define HIVEWIRE_POLICY_PPO_VIEWS_H_

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "absl/types/span.h"

namespace hivewire {

// Lives as long as `values`; at::from_blob takes no const, nothing may write through it.
inline at::Tensor View(absl::Span<const float> values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

// Of a contiguous float32 tensor on the CPU.
inline absl::Span<const float> Host(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_VIEWS_H_
