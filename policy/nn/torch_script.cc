#include "policy/nn/torch_script.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policy/nn/guard_torch.h"
#include "policy/portable/portable_policy.h"

namespace hivewire {
namespace {

at::Tensor Floats(const float* values, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), values,
              static_cast<size_t>(tensor.numel()) * sizeof(float));
  return tensor;
}

at::Tensor Floats(const std::vector<float>& values) {
  return Floats(values.data(), {static_cast<int64_t>(values.size())});
}

at::Tensor Floats(const std::string& bytes, at::IntArrayRef shape) {
  return Floats(reinterpret_cast<const float*>(bytes.data()), shape);
}

// `x` through the activation, as an expression.
std::string Activated(v1::Activation activation, const std::string& x) {
  switch (activation) {
    case v1::ACTIVATION_TANH:
      return absl::StrCat("torch.tanh(", x, ")");
    case v1::ACTIVATION_RELU:
      return absl::StrCat("torch.relu(", x, ")");
    case v1::ACTIVATION_ELU:
      return absl::StrCat("torch.elu(", x, ")");
    default:
      return x;
  }
}

// A bound for each element of the action.
std::vector<float> Bounds(const v1::Policy& policy,
                          const google::protobuf::RepeatedField<double>& (v1::LeafSpec::*bounds)()
                              const,
                          float unbounded) {
  std::vector<float> all;
  for (const v1::LeafSpec& leaf : policy.action()) {
    int64_t elements = 1;
    for (const int64_t size : leaf.shape()) elements *= size;
    const auto& given = (leaf.*bounds)();
    for (int64_t k = 0; k < elements; ++k) {
      all.push_back(given.empty()
                        ? unbounded
                        : static_cast<float>(given[given.size() == 1 ? 0 : static_cast<int>(k)]));
    }
  }
  return all;
}

class Writer {
 public:
  explicit Writer(const v1::Policy& policy) : policy_(policy), module_("Policy") {}

  std::string Write() {
    module_.register_attribute("training", c10::BoolType::get(), false);
    DefineNormalized();
    if (policy_.has_recurrent()) {
      DefineRecurrentOutputs();
    } else {
      module_.define(
          "def outputs(self, observations: Tensor) -> Tensor:\n"
          "  x = self.normalized(observations)\n" +
          Layers("actor", policy_.actor()) + "  return x\n");
    }
    if (!policy_.critic().empty()) {
      module_.define(
          "def value(self, observations: Tensor) -> Tensor:\n"
          "  x = self.normalized(observations)\n" +
          Layers("critic", policy_.critic()) + "  return x\n");
    }
    DefineAction();
    module_.define(
        policy_.has_recurrent()
            ? "def forward(self, observations: Tensor, memory: Tensor) -> Tuple[Tensor, Tensor]:\n"
              "  x, memory = self.outputs(observations, memory)\n"
              "  return self.action(x), memory\n"
            : "def forward(self, observations: Tensor) -> Tensor:\n"
              "  return self.action(self.outputs(observations))\n");
    std::ostringstream file;
    module_.save(file);
    return file.str();
  }

 private:
  void DefineNormalized() {
    const v1::Normalizer& normalizer = policy_.observation_normalizer();
    std::string code = "def normalized(self, x: Tensor) -> Tensor:\n";
    if (normalizer.mean_size() > 0) {
      std::vector<float> shift, scale;
      for (int i = 0; i < normalizer.mean_size(); ++i) {
        shift.push_back(static_cast<float>(normalizer.mean(i)));
        scale.push_back(
            static_cast<float>(1 / std::sqrt(normalizer.variance(i) + normalizer.epsilon())));
      }
      module_.register_buffer("shift", Floats(shift));
      module_.register_buffer("scale", Floats(scale));
      absl::StrAppend(&code, "  x = (x - self.shift) * self.scale\n");
      if (normalizer.clip() > 0) {
        absl::StrAppend(&code, "  x = torch.clamp(x, -", normalizer.clip(), ", ", normalizer.clip(),
                        ")\n");
      }
    }
    module_.define(code + "  return x\n");
  }

  // Statements that take x through the layers.
  std::string Layers(const std::string& name,
                     const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers) {
    std::string code;
    for (int i = 0; i < layers.size(); ++i) {
      const v1::DenseLayer& layer = layers[i];
      const std::string weight = absl::StrCat(name, "_weight_", i);
      const std::string bias = absl::StrCat(name, "_bias_", i);
      module_.register_buffer(weight, Floats(layer.weight(), {layer.outputs(), layer.inputs()}));
      module_.register_buffer(bias, Floats(layer.bias(), {layer.outputs()}));
      absl::StrAppend(&code, "  x = ",
                      Activated(layer.activation(), absl::StrCat("torch.linear(x, self.", weight,
                                                                 ", self.", bias, ")")),
                      "\n");
    }
    return code;
  }

  void DefineRecurrentOutputs() {
    const v1::RecurrentLayer& layer = policy_.recurrent();
    const int64_t width = layer.width();
    const bool lstm = layer.cell() == v1::RecurrentLayer::CELL_LSTM;
    const auto gates = static_cast<int64_t>(layer.bias_ih().size() / sizeof(float));
    module_.register_buffer("weight_ih", Floats(layer.weight_ih(), {gates, layer.inputs()}));
    module_.register_buffer("weight_hh", Floats(layer.weight_hh(), {gates, width}));
    module_.register_buffer("bias_ih", Floats(layer.bias_ih(), {gates}));
    module_.register_buffer("bias_hh", Floats(layer.bias_hh(), {gates}));
    constexpr char kWeights[] = "self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n";
    std::string code =
        "def outputs(self, observations: Tensor, memory: Tensor) -> Tuple[Tensor, Tensor]:\n"
        "  x = self.normalized(observations)\n" +
        Layers("actor", policy_.actor());
    if (lstm) {
      absl::StrAppend(&code, "  x, cells = torch.lstm_cell(x, [memory[:, :", width, "], memory[:, ",
                      width, ":]], ", kWeights, "  memory = torch.cat([x, cells], 1)\n");
    } else {
      absl::StrAppend(&code, "  x = torch.",
                      layer.cell() == v1::RecurrentLayer::CELL_GRU ? "gru_cell" : "rnn_tanh_cell",
                      "(x, memory, ", kWeights, "  memory = x\n");
    }
    module_.define(code + Layers("after", policy_.after_recurrent()) + "  return x, memory\n");
    module_.define(absl::StrCat(
        "def no_memory(self, rows: int) -> Tensor:\n"
        "  return torch.zeros([rows, ",
        lstm ? 2 * width : width, "], dtype=self.bias_hh.dtype, device=self.bias_hh.device)\n"));
  }

  // What the network's outputs, x, are as an action. See portable/head.cc for what each kind does
  // without noise.
  void DefineAction() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const v1::ActionHead& head = policy_.head();
    std::string code = "def action(self, x: Tensor) -> Tensor:\n";
    if (head.kind() == v1::ActionHead::KIND_CATEGORICAL ||
        head.kind() == v1::ActionHead::KIND_MULTI_CATEGORICAL) {
      DefineChoices(code);
      return;
    }
    const std::vector<float> low = Bounds(policy_, &v1::LeafSpec::low, -kInfinity);
    const std::vector<float> high = Bounds(policy_, &v1::LeafSpec::high, kInfinity);
    const size_t dim = low.size();
    module_.register_buffer("low", Floats(low));
    module_.register_buffer("high", Floats(high));
    const std::string within = "torch.max(torch.min(x, self.high), self.low)";
    if (head.kind() == v1::ActionHead::KIND_BETA) {
      // The shapes less 1; then the mode or the mean, kept as far from the ends as a sample comes.
      if (head.beta_spread().empty()) {
        absl::StrAppend(&code, "  a = torch.softplus(x[:, :", dim, "])\n  b = torch.softplus(x[:, ",
                        dim, ":])\n");
      } else {
        module_.register_buffer("spread", Floats(head.beta_spread(), {static_cast<int64_t>(dim)}));
        absl::StrAppend(&code,
                        "  mean = torch.sigmoid(x)\n"
                        "  a = mean + self.spread - 1.0\n"
                        "  b = self.spread - mean\n");
      }
      absl::StrAppend(&code,
                      "  x = torch.where((a > 0) & (b > 0), a / torch.clamp(a + b, min=1e-30), "
                      "(1.0 + a) / (2.0 + a + b))\n"
                      "  x = torch.clamp(x, 5.960464477539063e-08, 0.9999999403953552)\n"
                      "  return self.low + (self.high - self.low) * x\n");
    } else if (head.kind() == v1::ActionHead::KIND_TANH_GAUSSIAN) {
      absl::StrAppend(
          &code, "  x = self.low + 0.5 * (self.high - self.low) * (1.0 + torch.tanh(x[:, :", dim,
          "]))\n  return ", within, "\n");
    } else {
      absl::StrAppend(&code, "  x = x[:, :", dim, "]\n  return ", head.clip_to_box() ? within : "x",
                      "\n");
    }
    module_.define(code);
  }

  void DefineChoices(std::string code) {
    std::vector<std::string> choices;
    int64_t at = 0;
    for (const v1::LeafSpec& leaf : policy_.action()) {
      int64_t elements = 1;
      for (const int64_t size : leaf.shape()) elements *= size;
      for (int64_t k = 0; k < elements; ++k) {
        choices.push_back(absl::StrCat("torch.argmax(x[:, ", at, ":", at + leaf.cardinality(),
                                       "], 1) + ", leaf.start()));
        at += leaf.cardinality();
      }
    }
    if (policy_.head().kind() == v1::ActionHead::KIND_CATEGORICAL) {
      absl::StrAppend(&code, "  return ", choices[0], "\n");
    } else {
      absl::StrAppend(&code, "  return torch.stack([");
      for (const std::string& choice : choices) absl::StrAppend(&code, choice, ", ");
      absl::StrAppend(&code, "], 1)\n");
    }
    module_.define(code);
  }

  const v1::Policy& policy_;
  torch::jit::Module module_;
};

}  // namespace

absl::StatusOr<std::string> TorchScript(const v1::Policy& policy) {
  // Whatever is wrong with it is found there.
  if (const auto checked = PortablePolicy::Create(policy, {.may_remember = true}); !checked.ok())
    return checked.status();
  return GuardTorch("writing TorchScript",
                    [&]() -> absl::StatusOr<std::string> { return Writer(policy).Write(); });
}

}  // namespace hivewire
