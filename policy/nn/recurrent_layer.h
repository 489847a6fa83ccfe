// A recurrent layer: a plain tanh cell, LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al.
// 2014), with torch's gates and parameters, so that either can load the other's.
//
// On the CPU a whole passage is one autograd node, written out as Mlp's is: what depends on the
// inputs alone is one matrix product over all steps, and so are the weights' gradients, which are
// added straight into their .grad. Elsewhere it is torch's cells in turn. May throw what torch
// throws.
#ifndef HIVEWIRE_POLICY_NN_RECURRENT_LAYER_H_
#define HIVEWIRE_POLICY_NN_RECURRENT_LAYER_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "policy/nn/model.h"

namespace hivewire {

enum class CellKind { kRnn, kLstm, kGru };

class RecurrentLayer {
 public:
  RecurrentLayer() = default;
  // Weights orthogonal, biases 0.
  RecurrentLayer(CellKind kind, int64_t inputs, int64_t width, at::Generator& generator);

  // Elements of a lane's memory: the layer's output, and an LSTM's cells behind it.
  int64_t memory_width() const;

  // (steps · lanes, inputs) → (steps · lanes, width), rows in the order of time; `memory` and
  // `keep` as in Passage.
  at::Tensor Forward(const at::Tensor& inputs, int64_t steps, const at::Tensor& keep,
                     at::Tensor& memory) const;
  // The same by torch's own operations.
  at::Tensor ForwardByAutograd(const at::Tensor& inputs, int64_t steps, const at::Tensor& keep,
                               at::Tensor& memory) const;

  // "prefix.weight_ih" (gates · width, inputs), "prefix.weight_hh", "prefix.bias_ih", …
  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const;

  // The layer as data.
  void Export(v1::RecurrentLayer& out) const;

 private:
  CellKind kind_ = CellKind::kRnn;
  int64_t width_ = 0;
  at::Tensor weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_RECURRENT_LAYER_H_
