#include "policy/nn/recurrent_layer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "policy/nn/float_bytes.h"
#include "policy/nn/matrix.h"
#include "policy/nn/mlp.h"

namespace hivewire {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Gates in torch's order: LSTM input, forget, cell, output; GRU reset, update, new.
int64_t Gates(CellKind kind) {
  switch (kind) {
    case CellKind::kRnn:
      return 1;
    case CellKind::kLstm:
      return 4;
    case CellKind::kGru:
      return 3;
  }
  return 0;
}

struct Shape {
  CellKind kind;
  int64_t steps;
  int64_t lanes;
  int64_t inputs;
  int64_t width;

  int64_t rows() const { return steps * lanes; }
  int64_t gates() const { return Gates(kind) * width; }
};

// What a passage leaves behind for its backward; rows in the order of time.
struct Tape {
  at::Tensor gates;   // (rows, gates), activated
  at::Tensor before;  // (rows, width): the output that the step remembers
  at::Tensor cells;   // LSTM, (rows, width): the cells that the step remembers
  // (rows, width). LSTM: tanh of the step's cells. GRU: what reset lets through to the new gate.
  at::Tensor inner;
  at::Tensor outputs;  // (rows, width)
};

float* Row(const at::Tensor& tensor, int64_t row) {
  return tensor.data_ptr<float>() + row * tensor.size(1);
}

void FillWithRows(const at::Tensor& bias, at::Tensor& out) {
  const float* from = bias.const_data_ptr<float>();
  for (int64_t row = 0; row < out.size(0); ++row) std::copy_n(from, out.size(1), Row(out, row));
}

// In place, on columns first … first + count − 1.
void Sigmoid(const at::Tensor& rows, int64_t first, int64_t count) {
  rows.narrow(1, first, count).sigmoid_();
}
void Tanh(const at::Tensor& rows, int64_t first, int64_t count) {
  rows.narrow(1, first, count).tanh_();
}

struct Weights {
  at::Tensor ih, hh, bias_ih, bias_hh;
};

// `memory` becomes what follows the last step.
Tape Run(const Shape& shape, const at::Tensor& inputs, const at::Tensor& keep,
         const Weights& weights, at::Tensor& memory) {
  const auto [kind, steps, lanes, input_width, width] = shape;
  const int64_t rows = shape.rows();
  const int64_t gates = shape.gates();
  const bool lstm = kind == CellKind::kLstm;
  Tape tape;
  tape.gates = at::empty({rows, gates}, at::kFloat);
  tape.before = at::empty({rows, width}, at::kFloat);
  tape.outputs = at::empty({rows, width}, at::kFloat);
  if (kind != CellKind::kRnn) tape.inner = at::empty({rows, width}, at::kFloat);
  if (lstm) tape.cells = at::empty({rows, width}, at::kFloat);
  FillWithRows(kind == CellKind::kGru ? weights.bias_ih : weights.bias_ih + weights.bias_hh,
               tape.gates);
  AddTimesTransposed(inputs.const_data_ptr<float>(), weights.ih.const_data_ptr<float>(), rows,
                     input_width, gates, tape.gates.data_ptr<float>());

  at::Tensor hidden = memory.narrow(1, 0, width).contiguous();
  // A copy: it is written to.
  at::Tensor cells =
      lstm ? memory.narrow(1, width, width).clone(at::MemoryFormat::Contiguous) : at::Tensor();
  at::Tensor from_hidden = at::empty({lanes, gates}, at::kFloat);  // GRU
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t first = step * lanes;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const float kept = keep.defined() ? Row(keep, step)[lane] : 1;
      const auto carry = [&](const at::Tensor& from, const at::Tensor& to) {
        const float* source = Row(from, lane);
        float* target = Row(to, first + lane);
        for (int64_t k = 0; k < width; ++k) target[k] = kept * source[k];
      };
      carry(hidden, tape.before);
      if (lstm) carry(cells, tape.cells);
    }
    const at::Tensor now = tape.gates.narrow(0, first, lanes);
    const float* before = Row(tape.before, first);
    const float* hh = weights.hh.const_data_ptr<float>();
    if (kind == CellKind::kGru) {
      FillWithRows(weights.bias_hh, from_hidden);
      AddTimesTransposed(before, hh, lanes, width, gates, from_hidden.data_ptr<float>());
      now.narrow(1, 0, 2 * width).add_(from_hidden.narrow(1, 0, 2 * width));
      Sigmoid(now, 0, 2 * width);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const float* let_through = Row(from_hidden, lane) + 2 * width;
        float* gate = Row(tape.gates, first + lane);
        float* inner = Row(tape.inner, first + lane);
        for (int64_t k = 0; k < width; ++k) {
          inner[k] = let_through[k];
          gate[2 * width + k] += gate[k] * inner[k];
        }
      }
      Tanh(now, 2 * width, width);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const float* gate = Row(tape.gates, first + lane);
        const float* old = Row(tape.before, first + lane);
        float* output = Row(tape.outputs, first + lane);
        for (int64_t k = 0; k < width; ++k) {
          const float update = gate[width + k];
          output[k] = (1 - update) * gate[2 * width + k] + update * old[k];
        }
      }
    } else {
      AddTimesTransposed(before, hh, lanes, width, gates, Row(tape.gates, first));
      if (lstm) {
        Sigmoid(now, 0, 2 * width);
        Tanh(now, 2 * width, width);
        Sigmoid(now, 3 * width, width);
        for (int64_t lane = 0; lane < lanes; ++lane) {
          const float* gate = Row(tape.gates, first + lane);
          const float* old = Row(tape.cells, first + lane);
          float* cell = Row(cells, lane);
          for (int64_t k = 0; k < width; ++k) {
            cell[k] = gate[width + k] * old[k] + gate[k] * gate[2 * width + k];
          }
        }
        tape.inner.narrow(0, first, lanes).copy_(cells).tanh_();
        for (int64_t lane = 0; lane < lanes; ++lane) {
          const float* gate = Row(tape.gates, first + lane) + 3 * width;
          const float* inner = Row(tape.inner, first + lane);
          float* output = Row(tape.outputs, first + lane);
          for (int64_t k = 0; k < width; ++k) output[k] = gate[k] * inner[k];
        }
      } else {
        now.tanh_();
        tape.outputs.narrow(0, first, lanes).copy_(now);
      }
    }
    hidden = tape.outputs.narrow(0, first, lanes);
  }
  memory = lstm ? at::cat({hidden, cells}, 1) : hidden.clone();
  return tape;
}

// One step backward for one lane: from d_output (with what later steps sent) and LSTM's d_cells, to
// the gates' inputs (d_from_inputs; GRU's from its memory differ: d_from_hidden), and what goes
// straight to the step before (d_before, added to; d_cells, replaced).
void StepBackward(CellKind kind, int64_t width, const Tape& tape, int64_t row,
                  const float* d_output, float* d_cells, float* d_from_inputs, float* d_from_hidden,
                  float* d_before) {
  const float* gate = Row(tape.gates, row);
  switch (kind) {
    case CellKind::kRnn:
      for (int64_t k = 0; k < width; ++k) {
        d_from_inputs[k] = d_output[k] * (1 - gate[k] * gate[k]);
      }
      break;
    case CellKind::kLstm: {
      const float* inner = Row(tape.inner, row);
      const float* old = Row(tape.cells, row);
      for (int64_t k = 0; k < width; ++k) {
        const float i = gate[k], f = gate[width + k], g = gate[2 * width + k];
        const float o = gate[3 * width + k];
        const float d_cell = d_output[k] * o * (1 - inner[k] * inner[k]) + d_cells[k];
        d_from_inputs[k] = d_cell * g * i * (1 - i);
        d_from_inputs[width + k] = d_cell * old[k] * f * (1 - f);
        d_from_inputs[2 * width + k] = d_cell * i * (1 - g * g);
        d_from_inputs[3 * width + k] = d_output[k] * inner[k] * o * (1 - o);
        d_cells[k] = d_cell * f;
      }
      break;
    }
    case CellKind::kGru: {
      const float* inner = Row(tape.inner, row);
      const float* old = Row(tape.before, row);
      for (int64_t k = 0; k < width; ++k) {
        const float r = gate[k], z = gate[width + k], n = gate[2 * width + k];
        const float d_new = d_output[k] * (1 - z) * (1 - n * n);
        d_from_hidden[k] = d_from_inputs[k] = d_new * inner[k] * r * (1 - r);
        d_from_hidden[width + k] = d_from_inputs[width + k] =
            d_output[k] * (old[k] - n) * z * (1 - z);
        d_from_inputs[2 * width + k] = d_new;
        d_from_hidden[2 * width + k] = d_new * r;
        d_before[k] += d_output[k] * z;
      }
      break;
    }
  }
}

void AddColumnSums(const at::Tensor& rows, const at::Tensor& out) {
  float* sums = out.data_ptr<float>();
  for (int64_t row = 0; row < rows.size(0); ++row) {
    const float* values = Row(rows, row);
    for (int64_t k = 0; k < rows.size(1); ++k) sums[k] += values[k];
  }
}

class PassageFunction : public torch::autograd::Function<PassageFunction> {
 public:
  // → outputs, memory.
  static variable_list forward(AutogradContext* context, const at::Tensor& inputs,
                               const at::Tensor& keep, const at::Tensor& memory_before,
                               at::TensorList weights, int64_t kind, int64_t steps) {
    const Shape shape = {static_cast<CellKind>(kind), steps, memory_before.size(0), inputs.size(1),
                         weights[1].size(1)};
    at::Tensor memory = memory_before;
    const Tape tape =
        Run(shape, inputs, keep, {weights[0], weights[1], weights[2], weights[3]}, memory);
    context->save_for_backward({inputs, keep, tape.gates, tape.before, tape.cells, tape.inner,
                                weights[0], weights[1], weights[2], weights[3]});
    context->saved_data["kind"] = kind;
    context->saved_data["steps"] = steps;
    context->mark_non_differentiable({memory});
    return {tape.outputs, memory};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& inputs = saved[0];
    const at::Tensor& keep = saved[1];
    Tape tape;
    tape.gates = saved[2];
    tape.before = saved[3];
    tape.cells = saved[4];
    tape.inner = saved[5];
    const at::Tensor *weight_ih = &saved[6], *weight_hh = &saved[7];
    const int64_t steps = context->saved_data["steps"].toInt();
    const Shape shape = {static_cast<CellKind>(context->saved_data["kind"].toInt()), steps,
                         inputs.size(0) / steps, inputs.size(1), weight_hh->size(1)};
    const auto [kind, unused, lanes, input_width, width] = shape;
    const int64_t rows = shape.rows();
    const int64_t gates = shape.gates();

    const at::Tensor d_outputs = grads[0].contiguous();
    const at::Tensor d_from_inputs = at::empty({rows, gates}, at::kFloat);
    const at::Tensor d_from_hidden =
        kind == CellKind::kGru ? at::empty({rows, gates}, at::kFloat) : d_from_inputs;
    // What the step after sent to this one's output and cells.
    at::Tensor d_hidden = at::zeros({lanes, width}, at::kFloat);
    at::Tensor d_cells = at::zeros({lanes, width}, at::kFloat);
    at::Tensor d_before = at::empty({lanes, width}, at::kFloat);
    for (int64_t step = steps; step-- > 0;) {
      const int64_t first = step * lanes;
      d_hidden.add_(d_outputs.narrow(0, first, lanes));
      // Through the weights, and, in a GRU, straight through the update gate.
      const at::Tensor direct = at::zeros({lanes, width}, at::kFloat);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        StepBackward(kind, width, tape, first + lane, Row(d_hidden, lane), Row(d_cells, lane),
                     Row(d_from_inputs, first + lane), Row(d_from_hidden, first + lane),
                     Row(direct, lane));
      }
      if (step == 0) break;  // no gradient runs into what was remembered before
      SetTimes(Row(d_from_hidden, first), weight_hh->const_data_ptr<float>(), lanes, width, gates,
               d_before.data_ptr<float>());
      d_before.add_(direct);
      if (keep.defined()) {
        const at::Tensor kept = keep.select(0, step).unsqueeze(1);
        d_before.mul_(kept);
        d_cells.mul_(kept);
      }
      std::swap(d_hidden, d_before);
    }

    AddTransposedTimes(d_from_inputs.const_data_ptr<float>(), inputs.const_data_ptr<float>(), rows,
                       input_width, gates, saved[6].mutable_grad().data_ptr<float>());
    AddTransposedTimes(d_from_hidden.const_data_ptr<float>(), tape.before.const_data_ptr<float>(),
                       rows, width, gates, saved[7].mutable_grad().data_ptr<float>());
    AddColumnSums(d_from_inputs, saved[8].mutable_grad());
    AddColumnSums(d_from_hidden, saved[9].mutable_grad());
    at::Tensor d_inputs = at::empty({rows, input_width}, at::kFloat);
    SetTimes(d_from_inputs.const_data_ptr<float>(), weight_ih->const_data_ptr<float>(), rows,
             input_width, gates, d_inputs.data_ptr<float>());
    // One an input of forward: the weights' own are in place already.
    variable_list result(9);
    result[0] = d_inputs;
    return result;
  }
};

}  // namespace

RecurrentLayer::RecurrentLayer(CellKind kind, int64_t inputs, int64_t width,
                               at::Generator& generator)
    : kind_(kind), width_(width) {
  const int64_t gates = Gates(kind) * width;
  weight_ih_ = Orthogonal(gates, inputs, 1, generator);
  weight_hh_ = Orthogonal(gates, width, 1, generator);
  bias_ih_ = at::zeros({gates}, at::kFloat);
  bias_hh_ = at::zeros({gates}, at::kFloat);
  for (at::Tensor* parameter : {&weight_ih_, &weight_hh_, &bias_ih_, &bias_hh_}) {
    parameter->set_requires_grad(true);
  }
}

int64_t RecurrentLayer::memory_width() const {
  return kind_ == CellKind::kLstm ? 2 * width_ : width_;
}

at::Tensor RecurrentLayer::Forward(const at::Tensor& inputs, int64_t steps, const at::Tensor& keep,
                                   at::Tensor& memory) const {
  if (!inputs.device().is_cpu()) return ForwardByAutograd(inputs, steps, keep, memory);
  const at::Tensor x = inputs.contiguous();
  const at::Tensor kept = keep.defined() ? keep.contiguous() : keep;
  if (!c10::GradMode::is_enabled()) {
    const Shape shape = {kind_, steps, memory.size(0), x.size(1), width_};
    return Run(shape, x, kept, {weight_ih_, weight_hh_, bias_ih_, bias_hh_}, memory).outputs;
  }
  const variable_list result = PassageFunction::apply(
      x, kept, memory, at::TensorList({weight_ih_, weight_hh_, bias_ih_, bias_hh_}),
      static_cast<int64_t>(kind_), steps);
  memory = result[1];
  return result[0];
}

at::Tensor RecurrentLayer::ForwardByAutograd(const at::Tensor& inputs, int64_t steps,
                                             const at::Tensor& keep, at::Tensor& memory) const {
  const int64_t lanes = inputs.size(0) / steps;
  at::Tensor state = memory;
  std::vector<at::Tensor> outputs;
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor x = inputs.narrow(0, step * lanes, lanes);
    if (keep.defined()) state = state * keep.select(0, step).unsqueeze(1);
    switch (kind_) {
      case CellKind::kRnn:
        state = at::rnn_tanh_cell(x, state, weight_ih_, weight_hh_, bias_ih_, bias_hh_);
        break;
      case CellKind::kGru:
        state = at::gru_cell(x, state, weight_ih_, weight_hh_, bias_ih_, bias_hh_);
        break;
      case CellKind::kLstm: {
        const at::Tensor parts[] = {state.narrow(1, 0, width_), state.narrow(1, width_, width_)};
        const auto [hidden, cells] =
            at::lstm_cell(x, parts, weight_ih_, weight_hh_, bias_ih_, bias_hh_);
        state = at::cat({hidden, cells}, 1);
        break;
      }
    }
    outputs.push_back(state.narrow(1, 0, width_));
  }
  memory = state.detach();
  return at::cat(outputs);
}

void RecurrentLayer::AppendParameters(const std::string& prefix,
                                      std::vector<NamedTensor>& out) const {
  if (!weight_ih_.defined()) return;
  out.push_back({prefix + ".weight_ih", weight_ih_});
  out.push_back({prefix + ".weight_hh", weight_hh_});
  out.push_back({prefix + ".bias_ih", bias_ih_});
  out.push_back({prefix + ".bias_hh", bias_hh_});
}

void RecurrentLayer::Export(v1::RecurrentLayer& out) const {
  out.set_cell(kind_ == CellKind::kLstm  ? v1::RecurrentLayer::CELL_LSTM
               : kind_ == CellKind::kGru ? v1::RecurrentLayer::CELL_GRU
                                         : v1::RecurrentLayer::CELL_RNN);
  out.set_inputs(static_cast<uint32_t>(weight_ih_.size(1)));
  out.set_width(static_cast<uint32_t>(width_));
  out.set_weight_ih(FloatBytes(weight_ih_));
  out.set_weight_hh(FloatBytes(weight_hh_));
  out.set_bias_ih(FloatBytes(bias_ih_));
  out.set_bias_hh(FloatBytes(bias_hh_));
}

}  // namespace hivewire
