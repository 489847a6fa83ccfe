#include "policy/nn/gaussian.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const double kHalfLogTwoPi = 0.5 * std::log(2 * M_PI);

// Log-probability by mean and log-std as one autograd node:
//   z = (action − mean) / std;  log p = Σ (−z²/2 − log std − ½ log 2π)
//   d log p / d mean = z / std;  d log p / d log std = z² − 1
class LogProbFunction : public torch::autograd::Function<LogProbFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& mean,
                            const at::Tensor& log_std, const at::Tensor& actions) {
    const at::Tensor inverse_std = log_std.neg().exp_();
    const at::Tensor z = at::sub(actions, mean).mul_(inverse_std);
    at::Tensor log_prob = z.square().sum(1).mul_(-0.5);
    log_prob.sub_(log_std.sum() + static_cast<double>(log_std.numel()) * kHalfLogTwoPi);
    context->save_for_backward({z, inverse_std});
    return log_prob;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& z = saved[0];
    const at::Tensor& inverse_std = saved[1];
    const at::Tensor weighted = z * grads[0].unsqueeze(1);
    const at::Tensor d_log_std = (weighted * z).sum(0).sub_(grads[0].sum());
    return {weighted * inverse_std, d_log_std, at::Tensor()};
  }
};

class Gaussian : public Distribution {
 public:
  Gaussian(int64_t dim, double initial_log_std)
      : log_std_(at::full({dim}, initial_log_std, at::kFloat).set_requires_grad(true)) {}

  int64_t num_inputs() const override { return log_std_.numel(); }

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    at::Tensor noise = at::empty(inputs.sizes(), at::kFloat).normal_(0, 1, generator);
    return noise.to(inputs.device()).mul_(log_std_.exp()).add_(inputs);
  }

  at::Tensor Mode(const at::Tensor& inputs) const override { return inputs; }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    // The same for every row: H = Σ (log std + ½ + ½ log 2π).
    const at::Tensor entropy =
        log_std_.sum() + static_cast<double>(log_std_.numel()) * (0.5 + kHalfLogTwoPi);
    return {LogProbFunction::apply(inputs, log_std_, actions), entropy.expand({inputs.size(0)})};
  }

  std::vector<NamedTensor> Parameters() const override { return {{"log_std", log_std_}}; }

 private:
  at::Tensor log_std_;  // (dim)
};

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeGaussian(const v1::DistributionConfig& config,
                                                           const ActionSpace& action) {
  if (action.discrete()) {
    return absl::InvalidArgumentError(
        absl::StrCat("distribution.type is \"gaussian\", but the env takes one of ",
                     action.cardinality(), " choices; categorical fits"));
  }
  if (!std::isfinite(config.initial_log_std()) || std::abs(config.initial_log_std()) > 20) {
    return absl::InvalidArgumentError(absl::StrCat(
        "distribution.initial_log_std is ", config.initial_log_std(), "; it can be -20 … 20"));
  }
  return std::make_unique<Gaussian>(action.dim(), config.initial_log_std());
}

}  // namespace hivewire
