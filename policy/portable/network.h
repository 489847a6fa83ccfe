// A plain feed-forward network, ready to be evaluated: weights packed for the dense kernels.
//
// Immutable once made, so any thread may evaluate it, each with a Scratch of its own. A row's
// result does not depend on the rows beside it (dense_kernel.h).
#ifndef HIVEWIRE_POLICY_PORTABLE_NETWORK_H_
#define HIVEWIRE_POLICY_PORTABLE_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/portable/dense_kernel.h"

namespace hivewire {

struct NetworkLimits {
  int max_layers = 16;
  uint32_t max_width = 8192;
  // Whether who runs it keeps what the policy remembers.
  bool may_remember = false;
};

// BAD_POLICY or LIMIT naming the layer and field of `name` (empty networks are well): a chain that
// does not fit, arrays of another size, numbers that are not finite, an unknown activation.
absl::Status CheckLayers(absl::string_view name,
                         const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers,
                         const NetworkLimits& limits);

// BAD_POLICY naming `field`: not so many finite float32.
absl::Status CheckFloats(const std::string& field, const std::string& bytes, uint64_t count);

class Network {
 public:
  // What lies between the layers; grows with the first evaluations, then stays.
  struct Scratch {
    std::vector<float> even, odd;
  };

  Network() = default;
  // `layers` are checked.
  Network(const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers, DenseKernel kernel);

  bool empty() const { return layers_.empty(); }
  size_t inputs() const { return empty() ? 0 : layers_.front().inputs; }
  size_t outputs() const { return outputs_; }
  // Floats between the begins of two rows of outputs.
  size_t output_stride() const { return empty() ? 0 : layers_.back().panels * kPanel; }

  // `x`: (rows, inputs), each row x_stride after the one before. The outputs lie in `scratch`.
  const float* Evaluate(const float* x, size_t x_stride, size_t rows, Scratch& scratch) const;

 private:
  struct Layer {
    size_t inputs = 0;
    size_t panels = 0;
    std::vector<float> weights, bias;
    v1::Activation activation = v1::ACTIVATION_UNSPECIFIED;
  };

  DenseKernel kernel_ = nullptr;
  std::vector<Layer> layers_;
  size_t outputs_ = 0;
  size_t max_panels_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_NETWORK_H_
