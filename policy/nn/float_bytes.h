// A tensor's values as the wire has them.
#ifndef HIVEWIRE_POLICY_NN_FLOAT_BYTES_H_
#define HIVEWIRE_POLICY_NN_FLOAT_BYTES_H_

#include <ATen/core/Tensor.h>

#include <string>

namespace hivewire {

// float32, little-endian, row-major; from any device.
inline std::string FloatBytes(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  return {reinterpret_cast<const char*>(values.const_data_ptr<float>()),
          static_cast<size_t>(values.numel()) * sizeof(float)};
}

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_FLOAT_BYTES_H_
