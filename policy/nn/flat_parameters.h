// All parameters of some modules as one flat vector, with one flat vector of gradients beside it:
// clipping and the optimiser's step are then single operations.
//
// Re-homes the given tensors: afterwards they are views into values(), their .grad views into
// gradients(). May throw what torch throws.
#ifndef HIVEWIRE_POLICY_NN_FLAT_PARAMETERS_H_
#define HIVEWIRE_POLICY_NN_FLAT_PARAMETERS_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/nn/model.h"

namespace hivewire {

class FlatParameters {
 public:
  FlatParameters(std::vector<NamedTensor> parameters, at::Device device);

  at::Tensor& values() { return values_; }
  const at::Tensor& values() const { return values_; }
  at::Tensor& gradients() { return gradients_; }

  // Each parameter under "prefix.name"; `flat` is values() or a vector of the same layout, such as
  // an optimiser's moments.
  void Save(const std::string& prefix, const at::Tensor& flat, TensorMap& tensors) const;
  // FAILED_PRECONDITION names the first tensor of another shape.
  absl::Status Load(const std::string& prefix, const TensorMap& tensors, at::Tensor& flat) const;

 private:
  std::vector<NamedTensor> parameters_;
  at::Tensor values_;
  at::Tensor gradients_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_FLAT_PARAMETERS_H_
