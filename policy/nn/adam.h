// Adam (Kingma and Ba 2015) over one flat vector, after clipping the gradient's norm.
//
// May throw what torch throws.
#ifndef HIVEWIRE_POLICY_NN_ADAM_H_
#define HIVEWIRE_POLICY_NN_ADAM_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "absl/status/status.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/nn/flat_parameters.h"

namespace hivewire {

class Adam {
 public:
  // `parameters` outlives the optimiser.
  Adam(FlatParameters& parameters, double epsilon);

  void ZeroGradients();
  // One step against the gradients, scaled down to `max_grad_norm` where they are longer (0:
  // never).
  void Step(double learning_rate, double max_grad_norm);

  void Save(const std::string& prefix, TensorMap& tensors) const;
  absl::Status Load(const std::string& prefix, const TensorMap& tensors);

 private:
  FlatParameters& parameters_;
  double epsilon_;
  int64_t steps_ = 0;
  // Running means of the gradient and of its square.
  at::Tensor mean_;
  at::Tensor square_;
  at::Tensor step_tensor_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_ADAM_H_
