#include "policy/nn/adam.h"

#include <ATen/ATen.h>

namespace hivewire {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;

}  // namespace

Adam::Adam(FlatParameters& parameters, double epsilon)
    : parameters_(parameters),
      epsilon_(epsilon),
      mean_(at::zeros_like(parameters.values())),
      square_(at::zeros_like(parameters.values())),
      step_tensor_(at::zeros({}, parameters.values().options())) {}

void Adam::ZeroGradients() { parameters_.gradients().zero_(); }

void Adam::Step(double learning_rate, double max_grad_norm) {
  at::Tensor& gradients = parameters_.gradients();
  if (max_grad_norm > 0) {
    const double norm = at::linalg_vector_norm(gradients).item<float>();
    // The small term is torch.nn.utils.clip_grad_norm_'s.
    if (norm > max_grad_norm) gradients.mul_(max_grad_norm / (norm + 1e-6));
  }
  step_tensor_.fill_(static_cast<double>(++steps_));
  at::_fused_adam_(parameters_.values(), gradients, mean_, square_, {}, step_tensor_, learning_rate,
                   kBeta1, kBeta2, /*weight_decay=*/0, epsilon_, /*amsgrad=*/false,
                   /*maximize=*/false);
}

void Adam::Save(const std::string& prefix, TensorMap& tensors) const {
  parameters_.Save(prefix + ".mean", mean_, tensors);
  parameters_.Save(prefix + ".square", square_, tensors);
  const double steps = static_cast<double>(steps_);
  tensors.PutDoubles(prefix + ".steps", {&steps, 1});
}

absl::Status Adam::Load(const std::string& prefix, const TensorMap& tensors) {
  double steps = 0;
  absl::Status status = tensors.GetDoubles(prefix + ".steps", {&steps, 1});
  if (status.ok()) status = parameters_.Load(prefix + ".mean", tensors, mean_);
  if (status.ok()) status = parameters_.Load(prefix + ".square", tensors, square_);
  steps_ = static_cast<int64_t>(steps);
  return status;
}

}  // namespace hivewire
