#include "policy/nn/mlp.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void Activate(at::Tensor& x, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kTanh:
      x.tanh_();
      break;
    case ActivationKind::kRelu:
      x.relu_();
      break;
    case ActivationKind::kElu:
      at::elu_(x);
      break;
  }
}

// The gradient before an activation whose output was `y`.
at::Tensor ActivationBackward(const at::Tensor& grad, const at::Tensor& y, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kTanh:
      return at::tanh_backward(grad, y);
    case ActivationKind::kRelu:
      return at::threshold_backward(grad, y, 0);
    case ActivationKind::kElu:
      return at::elu_backward(grad, 1, 1, 1, /*is_result=*/true, y);
  }
  return grad;
}

bool Activated(size_t layer, size_t num_layers, bool activate_output) {
  return layer + 1 < num_layers || activate_output;
}

// What each layer gave, the input first.
std::vector<at::Tensor> Evaluate(const at::Tensor& input, at::TensorList parameters,
                                 ActivationKind activation, bool activate_output) {
  const size_t num_layers = parameters.size() / 2;
  std::vector<at::Tensor> outputs = {input};
  outputs.reserve(num_layers + 1);
  for (size_t i = 0; i < num_layers; ++i) {
    at::Tensor y = at::addmm(parameters[2 * i + 1], outputs.back(), parameters[2 * i].t());
    if (Activated(i, num_layers, activate_output)) Activate(y, activation);
    outputs.push_back(std::move(y));
  }
  return outputs;
}

class MlpFunction : public torch::autograd::Function<MlpFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            at::TensorList parameters, int64_t activation, bool activate_output) {
    std::vector<at::Tensor> outputs =
        Evaluate(input, parameters, static_cast<ActivationKind>(activation), activate_output);
    context->saved_data["activation"] = activation;
    context->saved_data["activate_output"] = activate_output;
    context->saved_data["input_needs_grad"] = input.requires_grad();
    at::Tensor result = outputs.back();
    variable_list saved(outputs.begin(), outputs.end());
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(std::move(saved));
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const size_t num_layers = (saved.size() - 1) / 3;
    const at::Tensor* outputs = saved.data();
    const at::Tensor* parameters = saved.data() + num_layers + 1;
    const auto activation = static_cast<ActivationKind>(context->saved_data["activation"].toInt());
    const bool activate_output = context->saved_data["activate_output"].toBool();

    at::Tensor grad = grads[0].contiguous();
    for (size_t i = num_layers; i-- > 0;) {
      if (Activated(i, num_layers, activate_output)) {
        grad = ActivationBackward(grad, outputs[i + 1], activation);
      }
      parameters[2 * i].mutable_grad().addmm_(grad.t(), outputs[i]);
      parameters[2 * i + 1].mutable_grad().add_(grad.sum(0));
      if (i > 0 || context->saved_data["input_needs_grad"].toBool()) {
        grad = at::mm(grad, parameters[2 * i]);
      } else {
        grad = at::Tensor();
      }
    }
    // One an input of forward: the parameters' own are in place already.
    variable_list result(1 + 2 * num_layers + 2);
    result[0] = grad;
    return result;
  }
};

// (rows, columns) with orthonormal rows or columns, times `gain` (Saxe et al. 2014).
at::Tensor Orthogonal(int64_t rows, int64_t columns, double gain, at::Generator& generator) {
  const int64_t tall = std::max(rows, columns);
  const int64_t wide = std::min(rows, columns);
  const at::Tensor random = at::empty({tall, wide}, at::kFloat).normal_(0, 1, generator);
  auto [q, r] = at::linalg_qr(random);
  // Makes the decomposition unique, hence the result uniform.
  q = q * r.diagonal().sign();
  if (rows < columns) q = q.t();
  return q.mul(gain).contiguous();
}

}  // namespace

absl::StatusOr<ActivationKind> ParseActivation(absl::string_view name) {
  if (name == "tanh") return ActivationKind::kTanh;
  if (name == "relu") return ActivationKind::kRelu;
  if (name == "elu") return ActivationKind::kElu;
  return absl::InvalidArgumentError(
      absl::StrCat("model.activation is \"", name, "\"; it can be tanh, relu or elu"));
}

Mlp::Mlp(const Options& options, at::Generator& generator)
    : activation_(options.activation), activate_output_(options.activate_output) {
  const size_t num_layers = options.widths.size() - 1;
  for (size_t i = 0; i < num_layers; ++i) {
    const double gain = i + 1 < num_layers ? options.hidden_gain : options.output_gain;
    parameters_.push_back(Orthogonal(options.widths[i + 1], options.widths[i], gain, generator));
    parameters_.push_back(at::zeros({options.widths[i + 1]}, at::kFloat));
  }
  for (at::Tensor& parameter : parameters_) parameter.set_requires_grad(true);
}

at::Tensor Mlp::Forward(const at::Tensor& input) const {
  if (!c10::GradMode::is_enabled()) {
    return Evaluate(input, parameters_, activation_, activate_output_).back();
  }
  return MlpFunction::apply(input, at::TensorList(parameters_), static_cast<int64_t>(activation_),
                            activate_output_);
}

void Mlp::AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    out.push_back(
        {absl::StrCat(prefix, ".", i / 2, i % 2 == 0 ? ".weight" : ".bias"), parameters_[i]});
  }
}

}  // namespace hivewire
