#include "policy/portable/recurrent_cell.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

using Layers = google::protobuf::RepeatedPtrField<v1::DenseLayer>;

uint32_t Gates(v1::RecurrentLayer::Cell cell) {
  switch (cell) {
    case v1::RecurrentLayer::CELL_RNN:
      return 1;
    case v1::RecurrentLayer::CELL_GRU:
      return 3;
    case v1::RecurrentLayer::CELL_LSTM:
      return 4;
    default:
      return 0;
  }
}

Layers Dense(const v1::RecurrentLayer& layer, uint32_t inputs, const std::string& weight,
             const std::string& bias) {
  Layers layers;
  v1::DenseLayer& dense = *layers.Add();
  dense.set_inputs(inputs);
  dense.set_outputs(Gates(layer.cell()) * layer.width());
  dense.set_weight(weight);
  dense.set_bias(bias);
  return layers;
}

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view problem) {
  const std::string name = absl::StrCat("recurrent.", field);
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(name, ": ", value, problem), name,
                   value);
}

}  // namespace

size_t MemoryWidth(const v1::RecurrentLayer& layer) {
  return layer.cell() == v1::RecurrentLayer::CELL_LSTM ? 2 * size_t{layer.width()} : layer.width();
}

absl::Status CheckRecurrent(const v1::RecurrentLayer& layer, size_t inputs,
                            const NetworkLimits& limits) {
  if (Gates(layer.cell()) == 0) {
    return Bad("cell", absl::StrCat(static_cast<int>(layer.cell())),
               " is none of RNN (1), LSTM (2) and GRU (3)");
  }
  if (layer.inputs() != inputs) {
    return Bad("inputs", absl::StrCat(layer.inputs()),
               absl::StrCat(" where the layer before has ", inputs, " outputs"));
  }
  if (layer.width() == 0 || layer.width() > limits.max_width) {
    return Bad("width", absl::StrCat(layer.width()),
               absl::StrCat(" is not 1 … ", limits.max_width));
  }
  const uint64_t gates = uint64_t{Gates(layer.cell())} * layer.width();
  absl::Status status =
      CheckFloats("recurrent.weight_ih", layer.weight_ih(), gates * layer.inputs());
  if (status.ok()) {
    status = CheckFloats("recurrent.weight_hh", layer.weight_hh(), gates * layer.width());
  }
  if (status.ok()) status = CheckFloats("recurrent.bias_ih", layer.bias_ih(), gates);
  if (status.ok()) status = CheckFloats("recurrent.bias_hh", layer.bias_hh(), gates);
  return status;
}

RecurrentCell::RecurrentCell(const v1::RecurrentLayer& layer, DenseKernel kernel)
    : cell_(layer.cell()),
      width_(layer.width()),
      memory_width_(MemoryWidth(layer)),
      from_inputs_(Dense(layer, layer.inputs(), layer.weight_ih(), layer.bias_ih()), kernel),
      from_hidden_(Dense(layer, layer.width(), layer.weight_hh(), layer.bias_hh()), kernel) {}

const float* RecurrentCell::Evaluate(const float* x, size_t x_stride, size_t rows, float* memory,
                                     Scratch& scratch) const {
  // Outputs lie in the scratch, so the gates can be worked on in place.
  from_inputs_.Evaluate(x, x_stride, rows, scratch.from_inputs);
  const float* all_hidden =
      from_hidden_.Evaluate(memory, memory_width(), rows, scratch.from_hidden);
  if (scratch.outputs.size() < rows * width_) scratch.outputs.resize(rows * width_);
  const size_t stride = from_inputs_.output_stride();
  for (size_t row = 0; row < rows; ++row) {
    float* gate = scratch.from_inputs.even.data() + row * stride;
    const float* hidden = all_hidden + row * stride;
    float* remembered = memory + row * memory_width();
    float* output = scratch.outputs.data() + row * width_;
    switch (cell_) {
      case v1::RecurrentLayer::CELL_GRU: {
        // Reset, update, new: h' = (1 − z) n + z h, n = tanh(x_n + r h_n).
        for (size_t k = 0; k < 2 * width_; ++k) gate[k] += hidden[k];
        ApplyLogistic(gate, 2 * width_);
        float* fresh = gate + 2 * width_;
        for (size_t k = 0; k < width_; ++k) fresh[k] += gate[k] * hidden[2 * width_ + k];
        ApplyTanh(fresh, width_);
        for (size_t k = 0; k < width_; ++k) {
          const float update = gate[width_ + k];
          output[k] = (1 - update) * fresh[k] + update * remembered[k];
        }
        break;
      }
      case v1::RecurrentLayer::CELL_LSTM: {
        // Input, forget, cell, output: c' = f c + i g, h' = o tanh(c').
        for (size_t k = 0; k < 4 * width_; ++k) gate[k] += hidden[k];
        ApplyLogistic(gate, 2 * width_);
        ApplyTanh(gate + 2 * width_, width_);
        ApplyLogistic(gate + 3 * width_, width_);
        float* cells = remembered + width_;
        for (size_t k = 0; k < width_; ++k) {
          cells[k] = gate[width_ + k] * cells[k] + gate[k] * gate[2 * width_ + k];
          output[k] = cells[k];
        }
        ApplyTanh(output, width_);
        for (size_t k = 0; k < width_; ++k) output[k] *= gate[3 * width_ + k];
        break;
      }
      default:
        for (size_t k = 0; k < width_; ++k) output[k] = gate[k] + hidden[k];
        ApplyTanh(output, width_);
    }
    std::copy_n(output, width_, remembered);
  }
  return scratch.outputs.data();
}

}  // namespace hivewire
