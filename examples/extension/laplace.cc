#include "laplace.h"

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "policy/nn/box_distribution.h"

namespace extension {
namespace {

class Laplace : public hivewire::Distribution {
 public:
  explicit Laplace(int64_t dim)
      : log_scale_(at::zeros({dim}, at::kFloat).set_requires_grad(true)) {}

  int64_t num_inputs() const override { return log_scale_.numel(); }

  // Random numbers come from the generator alone, so that a seed repeats a run.
  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    const at::Tensor u = at::empty(inputs.sizes(), at::kFloat).uniform_(-0.5, 0.5, generator);
    const at::Tensor noise = u.sign() * at::log1p(u.abs() * -2).neg();
    return inputs + log_scale_.exp() * noise.to(inputs.device());
  }
  at::Tensor Mode(const at::Tensor& inputs) const override { return inputs; }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor entropy = (log_scale_ + (1 + std::log(2.0))).sum();
    return {ElementLogProbs(inputs, actions).sum(1), entropy.expand({inputs.size(0)})};
  }
  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor z = (actions - inputs).abs() / log_scale_.exp();
    return -z - log_scale_ - std::log(2.0);
  }

  std::vector<hivewire::NamedTensor> Parameters() const override {
    return {{"log_scale", log_scale_}};
  }
  // It acts in the learner only: the wire has no such head.
  absl::Status Export(hivewire::v1::ActionHead&) const override {
    return absl::UnimplementedError("distribution.type \"laplace\" cannot act elsewhere");
  }

 private:
  at::Tensor log_scale_;  // (dim)
};

}  // namespace

absl::StatusOr<std::unique_ptr<hivewire::Distribution>> MakeLaplace(
    const hivewire::v1::DistributionConfig&, const hivewire::ActionSpace& action) {
  absl::Status status = hivewire::CheckBox("laplace", action, /*fills_the_box=*/false);
  if (!status.ok()) return status;
  return std::make_unique<Laplace>(action.dim());
}

}  // namespace extension
