// A recurrent layer of a policy as data, one step at a time: a v1::RecurrentLayer, ready to be
// evaluated.
//
// Immutable once made, so any thread may evaluate it, each with a Scratch of its own. A row's
// result does not depend on the rows beside it, and is the same bits on every CPU (dense_kernel.h).
#ifndef HIVEWIRE_POLICY_PORTABLE_RECURRENT_CELL_H_
#define HIVEWIRE_POLICY_PORTABLE_RECURRENT_CELL_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/portable/network.h"

namespace hivewire {

// Elements of what a lane remembers; 0 where there is no such layer.
size_t MemoryWidth(const v1::RecurrentLayer& layer);

// BAD_POLICY or LIMIT naming the field of `recurrent`, where it is not one for `inputs` inputs.
absl::Status CheckRecurrent(const v1::RecurrentLayer& layer, size_t inputs,
                            const NetworkLimits& limits);

class RecurrentCell {
 public:
  struct Scratch {
    Network::Scratch from_inputs, from_hidden;
    std::vector<float> outputs;
  };

  // None: nothing is remembered.
  RecurrentCell() = default;
  // `layer` is checked.
  RecurrentCell(const v1::RecurrentLayer& layer, DenseKernel kernel);

  size_t width() const { return width_; }
  size_t memory_width() const { return memory_width_; }

  // `x`: (rows, inputs), each row x_stride after the one before. `memory`: (rows, memory_width), of
  // before the step, then of after it. The outputs, (rows, width), lie in `scratch`.
  const float* Evaluate(const float* x, size_t x_stride, size_t rows, float* memory,
                        Scratch& scratch) const;

 private:
  v1::RecurrentLayer::Cell cell_ = v1::RecurrentLayer::CELL_UNSPECIFIED;
  size_t width_ = 0;
  size_t memory_width_ = 0;
  Network from_inputs_, from_hidden_;  // (gates · width) each
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_RECURRENT_CELL_H_
