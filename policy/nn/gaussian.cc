#include "policy/nn/gaussian.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <utility>

#include "policy/nn/box_distribution.h"
#include "policy/nn/deviation.h"

namespace hivewire {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const double kHalfLogTwoPi = 0.5 * std::log(2 * M_PI);

// Log-probability and entropy by mean and log-std on the CPU, as one autograd node:
//   z = (action − mean) / std;  log p = Σ (−z²/2 − log std − ½ log 2π);  H = Σ (log std + ½ + ½ log
//   2π) d log p / d mean = z / std;  d log p / d log std = z² − 1;  d H / d log std = 1
class LikelihoodFunction : public torch::autograd::Function<LikelihoodFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& mean,
                               const at::Tensor& log_std, const at::Tensor& actions) {
    const int64_t rows = mean.size(0);
    const int64_t dim = mean.size(1);
    const at::Tensor inverse_std = log_std.neg().exp_();
    const at::Tensor z = at::empty({rows, dim}, at::kFloat);
    const at::Tensor log_prob = at::empty({rows}, at::kFloat);
    const double log_std_sum = log_std.sum().item<float>();
    const double constant = log_std_sum + static_cast<double>(dim) * kHalfLogTwoPi;
    const at::Tensor entropy =
        at::full({rows}, constant + 0.5 * static_cast<double>(dim), at::kFloat);
    const float* mean_data = mean.const_data_ptr<float>();
    const float* action_data = actions.const_data_ptr<float>();
    const float* scale = inverse_std.const_data_ptr<float>();
    float* z_data = z.data_ptr<float>();
    float* log_prob_data = log_prob.data_ptr<float>();
    for (int64_t row = 0; row < rows; ++row) {
      float squares = 0;
      for (int64_t i = row * dim; i < (row + 1) * dim; ++i) {
        z_data[i] = (action_data[i] - mean_data[i]) * scale[i - row * dim];
        squares += z_data[i] * z_data[i];
      }
      log_prob_data[row] = static_cast<float>(-0.5 * squares - constant);
    }
    context->save_for_backward({z, inverse_std});
    return {log_prob, entropy};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& z = saved[0];
    const int64_t rows = z.size(0);
    const int64_t dim = z.size(1);
    const at::Tensor d_mean = at::zeros({rows, dim}, at::kFloat);
    const at::Tensor d_log_std = at::zeros({dim}, at::kFloat);
    float* d_log_std_data = d_log_std.data_ptr<float>();
    if (grads[0].defined()) {
      const at::Tensor grad = grads[0].contiguous();
      const float* grad_data = grad.const_data_ptr<float>();
      const float* z_data = z.const_data_ptr<float>();
      const float* scale = saved[1].const_data_ptr<float>();
      float* d_mean_data = d_mean.data_ptr<float>();
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t k = 0; k < dim; ++k) {
          const int64_t i = row * dim + k;
          d_mean_data[i] = grad_data[row] * z_data[i] * scale[k];
          d_log_std_data[k] += grad_data[row] * (z_data[i] * z_data[i] - 1);
        }
      }
    }
    if (grads[1].defined()) {
      const float each = grads[1].sum().item<float>();
      for (int64_t k = 0; k < dim; ++k) d_log_std_data[k] += each;
    }
    return {d_mean, d_log_std, at::Tensor()};
  }
};

class Gaussian : public Distribution {
 public:
  Gaussian(Deviation deviation, bool clip_to_box)
      : deviation_(std::move(deviation)), clip_to_box_(clip_to_box) {}

  int64_t num_inputs() const override { return deviation_.num_inputs(); }
  at::Tensor InitialBias() const override { return deviation_.InitialBias(); }

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    const at::Tensor mean = deviation_.Mean(inputs);
    at::Tensor noise = at::empty(mean.sizes(), at::kFloat).normal_(0, 1, generator);
    return noise.to(mean.device()).mul_(deviation_.LogStd(inputs).exp()).add_(mean);
  }

  at::Tensor Mode(const at::Tensor& inputs) const override { return deviation_.Mean(inputs); }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor mean = deviation_.Mean(inputs);
    const at::Tensor log_std = deviation_.LogStd(inputs);
    if (mean.device().is_cpu() && deviation_.common()) {
      const variable_list likelihood =
          LikelihoodFunction::apply(mean.contiguous(), log_std, actions.contiguous());
      return {likelihood[0], likelihood[1]};
    }
    const double dim = static_cast<double>(mean.size(1));
    const at::Tensor z = (actions - mean) * log_std.neg().exp();
    const at::Tensor log_std_sum = log_std.sum(-1);
    return {z.square().sum(1) * -0.5 - log_std_sum - dim * kHalfLogTwoPi,
            (log_std_sum + dim * (0.5 + kHalfLogTwoPi)).expand({mean.size(0)})};
  }

  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor log_std = deviation_.LogStd(inputs);
    const at::Tensor z = (actions - deviation_.Mean(inputs)) * log_std.neg().exp();
    return z.square() * -0.5 - log_std - kHalfLogTwoPi;
  }

  std::vector<NamedTensor> Parameters() const override { return deviation_.Parameters(); }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_GAUSSIAN);
    deviation_.Export(head);
    head.set_clip_to_box(clip_to_box_);
    return absl::OkStatus();
  }

 private:
  Deviation deviation_;
  bool clip_to_box_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeGaussian(const v1::DistributionConfig& config,
                                                           const ActionSpace& action) {
  absl::Status status = CheckBox("gaussian", action, /*fills_the_box=*/false);
  if (!status.ok()) return status;
  absl::StatusOr<Deviation> deviation = Deviation::Make(config, action.dim());
  if (!deviation.ok()) return deviation.status();
  return std::make_unique<Gaussian>(*std::move(deviation), config.clip_to_box());
}

}  // namespace hivewire
