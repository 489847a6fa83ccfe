// A multilayer perceptron. On the CPU it is one autograd node whose forward and backward are a few
// matrix products each, written out: for networks this small the dispatch of single operations
// would cost twice as much again. Elsewhere it is plain torch operations.
//
// On the CPU the gradients of the weights are added straight into their .grad, which must exist.
#ifndef HIVEWIRE_POLICY_NN_MLP_H_
#define HIVEWIRE_POLICY_NN_MLP_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/nn/model.h"

namespace hivewire {

enum class ActivationKind { kNone, kTanh, kRelu, kElu };

// INVALID_ARGUMENT for a name that is none, with the names that there are.
absl::StatusOr<ActivationKind> ParseActivation(absl::string_view name);

// (rows, columns) with orthonormal rows or columns, times `gain` (Saxe et al. 2014).
at::Tensor Orthogonal(int64_t rows, int64_t columns, double gain, at::Generator& generator);

class Mlp {
 public:
  struct Options {
    // Inputs, hidden widths, outputs.
    std::vector<int64_t> widths;
    ActivationKind activation = ActivationKind::kTanh;
    // After the last layer.
    ActivationKind output_activation = ActivationKind::kNone;
    // Of the orthogonal initial weights; biases start at 0.
    double hidden_gain = 1;
    double output_gain = 1;
    // Weights and biases uniform in ±1/√inputs instead, as torch's own layers start.
    bool uniform = false;
    // Where the last layer's biases start instead; undefined for as above.
    at::Tensor output_bias = {};
  };

  Mlp() = default;
  Mlp(const Options& options, at::Generator& generator);

  // Whether it has no layers.
  bool empty() const { return parameters_.empty(); }

  // (rows, inputs) → (rows, outputs).
  at::Tensor Forward(const at::Tensor& input) const;

  // "prefix.0.weight" (outputs, inputs), "prefix.0.bias", …
  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const;

  // The layers as data, behind those that are there.
  void AppendLayers(google::protobuf::RepeatedPtrField<v1::DenseLayer>& out) const;

 private:
  at::Tensor ForwardByAutograd(const at::Tensor& input) const;

  // Weight and bias of each layer in turn.
  std::vector<at::Tensor> parameters_;
  ActivationKind activation_ = ActivationKind::kTanh;
  ActivationKind output_activation_ = ActivationKind::kNone;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_MLP_H_
