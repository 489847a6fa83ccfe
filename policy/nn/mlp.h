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

class Mlp {
 public:
  struct Options {
    // Inputs, hidden widths, outputs.
    std::vector<int64_t> widths;
    ActivationKind activation = ActivationKind::kTanh;
    // After the last layer too.
    bool activate_output = false;
    // Of the orthogonal initial weights.
    double hidden_gain = 1;
    double output_gain = 1;
  };

  Mlp() = default;
  Mlp(const Options& options, at::Generator& generator);

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
  bool activate_output_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_MLP_H_
