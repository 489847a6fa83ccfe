#include "policy/nn/mlp.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "policy/nn/float_bytes.h"
#include "policy/nn/matrix.h"

namespace hivewire {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor Uniform(at::IntArrayRef shape, double bound, at::Generator& generator) {
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator);
}

at::Tensor Activated(const at::Tensor& x, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kTanh:
      return at::tanh(x);
    case ActivationKind::kRelu:
      return at::relu(x);
    case ActivationKind::kElu:
      return at::elu(x);
  }
  return x;
}

void ActivateInPlace(at::Tensor& x, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kTanh:
      at::tanh_(x);
      break;
    case ActivationKind::kRelu:
      at::relu_(x);
      break;
    case ActivationKind::kElu:
      at::elu_(x);
      break;
  }
}

// out = grad · d activation / d x, where the activation gave `y`.
void ActivationBackward(const float* grad, const float* y, int64_t size, ActivationKind kind,
                        float* out) {
  switch (kind) {
    case ActivationKind::kNone:
      std::copy_n(grad, size, out);
      break;
    case ActivationKind::kTanh:
      for (int64_t i = 0; i < size; ++i) out[i] = grad[i] * (1 - y[i] * y[i]);
      break;
    case ActivationKind::kRelu:
      for (int64_t i = 0; i < size; ++i) out[i] = y[i] > 0 ? grad[i] : 0;
      break;
    case ActivationKind::kElu:
      for (int64_t i = 0; i < size; ++i) out[i] = y[i] > 0 ? grad[i] : grad[i] * (y[i] + 1);
      break;
  }
}

v1::Activation ToProto(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kTanh:
      return v1::ACTIVATION_TANH;
    case ActivationKind::kRelu:
      return v1::ACTIVATION_RELU;
    case ActivationKind::kElu:
      return v1::ACTIVATION_ELU;
  }
  return v1::ACTIVATION_UNSPECIFIED;
}

// What the layers' outputs go through.
struct Activations {
  ActivationKind hidden;
  ActivationKind output;

  ActivationKind Of(size_t layer, size_t num_layers) const {
    return layer + 1 < num_layers ? hidden : output;
  }
};

// What each layer gives, on the CPU.
std::vector<at::Tensor> Evaluate(const at::Tensor& input, at::TensorList parameters,
                                 Activations activations) {
  const size_t num_layers = parameters.size() / 2;
  const int64_t rows = input.size(0);
  std::vector<at::Tensor> outputs;
  outputs.reserve(num_layers);
  const float* x = input.const_data_ptr<float>();
  for (size_t i = 0; i < num_layers; ++i) {
    const at::Tensor& weight = parameters[2 * i];
    const float* bias = parameters[2 * i + 1].const_data_ptr<float>();
    const int64_t width = weight.size(0);
    at::Tensor y = at::empty({rows, width}, at::kFloat);
    float* out = y.data_ptr<float>();
    for (int64_t row = 0; row < rows; ++row) std::copy_n(bias, width, out + row * width);
    AddTimesTransposed(x, weight.const_data_ptr<float>(), rows, weight.size(1), width, out);
    ActivateInPlace(y, activations.Of(i, num_layers));
    outputs.push_back(std::move(y));
    x = out;
  }
  return outputs;
}

class MlpFunction : public torch::autograd::Function<MlpFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            at::TensorList parameters, int64_t hidden, int64_t output) {
    variable_list saved =
        Evaluate(input, parameters,
                 {static_cast<ActivationKind>(hidden), static_cast<ActivationKind>(output)});
    context->saved_data["hidden"] = hidden;
    context->saved_data["output"] = output;
    context->saved_data["input_needs_grad"] = input.requires_grad();
    const at::Tensor result = saved.back();
    saved.push_back(input);
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(std::move(saved));
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const size_t num_layers = (saved.size() - 1) / 3;
    const at::Tensor* outputs = saved.data();
    const at::Tensor& input = saved[num_layers];
    const at::Tensor* parameters = &input + 1;
    const Activations activations = {
        static_cast<ActivationKind>(context->saved_data["hidden"].toInt()),
        static_cast<ActivationKind>(context->saved_data["output"].toInt())};
    const bool input_needs_grad = context->saved_data["input_needs_grad"].toBool();

    const int64_t rows = input.size(0);
    at::Tensor grad = grads[0].contiguous();
    for (size_t i = num_layers; i-- > 0;) {
      const at::Tensor& weight = parameters[2 * i];
      const int64_t width = weight.size(0);
      const int64_t inputs = weight.size(1);
      const ActivationKind activation = activations.Of(i, num_layers);
      if (activation != ActivationKind::kNone) {
        at::Tensor before = at::empty({rows, width}, at::kFloat);
        ActivationBackward(grad.const_data_ptr<float>(), outputs[i].const_data_ptr<float>(),
                           rows * width, activation, before.data_ptr<float>());
        grad = std::move(before);
      }
      const float* d_y = grad.const_data_ptr<float>();
      const at::Tensor& x = i > 0 ? outputs[i - 1] : input;
      AddTransposedTimes(d_y, x.const_data_ptr<float>(), rows, inputs, width,
                         weight.mutable_grad().data_ptr<float>());
      float* d_bias = parameters[2 * i + 1].mutable_grad().data_ptr<float>();
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t k = 0; k < width; ++k) d_bias[k] += d_y[row * width + k];
      }
      if (i == 0 && !input_needs_grad) {
        grad = at::Tensor();
        break;
      }
      at::Tensor d_x = at::empty({rows, inputs}, at::kFloat);
      SetTimes(d_y, weight.const_data_ptr<float>(), rows, inputs, width, d_x.data_ptr<float>());
      grad = std::move(d_x);
    }
    // One an input of forward: the parameters' own are in place already.
    variable_list result(1 + 2 * num_layers + 2);
    result[0] = grad;
    return result;
  }
};

}  // namespace

absl::StatusOr<ActivationKind> ParseActivation(absl::string_view name) {
  if (name == "tanh") return ActivationKind::kTanh;
  if (name == "relu") return ActivationKind::kRelu;
  if (name == "elu") return ActivationKind::kElu;
  return absl::InvalidArgumentError(
      absl::StrCat("model.activation is \"", name, "\"; it can be tanh, relu or elu"));
}

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

Mlp::Mlp(const Options& options, at::Generator& generator)
    : activation_(options.activation), output_activation_(options.output_activation) {
  const size_t num_layers = options.widths.size() - 1;
  for (size_t i = 0; i < num_layers; ++i) {
    const int64_t inputs = options.widths[i];
    const int64_t outputs = options.widths[i + 1];
    if (options.uniform) {
      const double bound = 1 / std::sqrt(static_cast<double>(inputs));
      parameters_.push_back(Uniform({outputs, inputs}, bound, generator));
      parameters_.push_back(Uniform({outputs}, bound, generator));
    } else {
      const double gain = i + 1 < num_layers ? options.hidden_gain : options.output_gain;
      parameters_.push_back(Orthogonal(outputs, inputs, gain, generator));
      parameters_.push_back(at::zeros({outputs}, at::kFloat));
    }
  }
  if (options.output_bias.defined()) parameters_.back().copy_(options.output_bias);
  for (at::Tensor& parameter : parameters_) parameter.set_requires_grad(true);
}

at::Tensor Mlp::Forward(const at::Tensor& input) const {
  if (!input.device().is_cpu()) return ForwardByAutograd(input);
  const at::Tensor x = input.contiguous();
  if (!c10::GradMode::is_enabled()) {
    return Evaluate(x, parameters_, {activation_, output_activation_}).back();
  }
  return MlpFunction::apply(x, at::TensorList(parameters_), static_cast<int64_t>(activation_),
                            static_cast<int64_t>(output_activation_));
}

at::Tensor Mlp::ForwardByAutograd(const at::Tensor& input) const {
  const size_t num_layers = parameters_.size() / 2;
  at::Tensor x = input;
  for (size_t i = 0; i < num_layers; ++i) {
    x = at::linear(x, parameters_[2 * i], parameters_[2 * i + 1]);
    x = Activated(x, i + 1 < num_layers ? activation_ : output_activation_);
  }
  return x;
}

void Mlp::AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    out.push_back(
        {absl::StrCat(prefix, ".", i / 2, i % 2 == 0 ? ".weight" : ".bias"), parameters_[i]});
  }
}

void Mlp::AppendLayers(google::protobuf::RepeatedPtrField<v1::DenseLayer>& out) const {
  const size_t num_layers = parameters_.size() / 2;
  for (size_t i = 0; i < num_layers; ++i) {
    v1::DenseLayer& layer = *out.Add();
    layer.set_outputs(static_cast<uint32_t>(parameters_[2 * i].size(0)));
    layer.set_inputs(static_cast<uint32_t>(parameters_[2 * i].size(1)));
    layer.set_weight(FloatBytes(parameters_[2 * i]));
    layer.set_bias(FloatBytes(parameters_[2 * i + 1]));
    layer.set_activation(ToProto(i + 1 < num_layers ? activation_ : output_activation_));
  }
}

}  // namespace hivewire
