#include "policy/nn/recurrent_layer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

namespace hivewire {
namespace {

constexpr int64_t kSteps = 7, kLanes = 3, kInputs = 5, kWidth = 4;

class RecurrentLayerTest : public testing::TestWithParam<CellKind> {
 protected:
  RecurrentLayerTest() : layer_(GetParam(), kInputs, kWidth, generator_) {
    layer_.AppendParameters("x", parameters_);
    const c10::NoGradGuard no_grad;
    for (NamedTensor& parameter : parameters_) {
      // Biases start at 0, where a mistake would not show.
      parameter.tensor.add_(Normal(parameter.tensor.sizes()) * 0.3);
      parameter.tensor.mutable_grad() = at::zeros_like(parameter.tensor);
    }
    keep_.index_put_({at::tensor(2), at::tensor(1)}, 0);
    keep_.index_put_({at::tensor(5), at::tensor(0)}, 0);
    memory_ = Normal({kLanes, layer_.memory_width()});
  }

  at::Tensor Normal(at::IntArrayRef shape) {
    return at::empty(shape, at::kFloat).normal_(0, 1, generator_);
  }

  at::Generator generator_ = at::make_generator<at::CPUGeneratorImpl>(5);
  RecurrentLayer layer_;
  std::vector<NamedTensor> parameters_;
  at::Tensor inputs_ = Normal({kSteps * kLanes, kInputs});
  at::Tensor keep_ = at::ones({kSteps, kLanes});
  at::Tensor memory_;
};

TEST_P(RecurrentLayerTest, OutputsMemoryAndGradientsAreThoseOfTorchsCells) {
  at::Tensor inputs = inputs_.clone().set_requires_grad(true);
  const at::Tensor weights = Normal({kSteps * kLanes, kWidth});
  at::Tensor memory = memory_, expected_memory = memory_;

  const at::Tensor outputs = layer_.Forward(inputs, kSteps, keep_, memory);
  const at::Tensor d_inputs = torch::autograd::grad({(outputs * weights).sum()}, {inputs})[0];
  const at::Tensor expected = layer_.ForwardByAutograd(inputs, kSteps, keep_, expected_memory);
  std::vector<at::Tensor> leaves = {inputs};
  for (const NamedTensor& parameter : parameters_) leaves.push_back(parameter.tensor);
  const auto gradients = torch::autograd::grad({(expected * weights).sum()}, leaves);

  EXPECT_TRUE(at::allclose(outputs, expected, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(memory, expected_memory, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(d_inputs, gradients[0], 1e-4, 1e-5));
  for (size_t i = 0; i < parameters_.size(); ++i) {
    EXPECT_TRUE(at::allclose(parameters_[i].tensor.grad(), gradients[i + 1], 1e-4, 1e-5))
        << parameters_[i].name;
  }
}

TEST_P(RecurrentLayerTest, StepsInTurnAreOnePassage) {
  const c10::NoGradGuard no_grad;
  at::Tensor memory = memory_, stepped = memory_;
  const at::Tensor outputs = layer_.Forward(inputs_, kSteps, keep_, memory);
  for (int64_t step = 0; step < kSteps; ++step) {
    stepped = stepped * keep_.select(0, step).unsqueeze(1);
    const at::Tensor output =
        layer_.Forward(inputs_.narrow(0, step * kLanes, kLanes), 1, {}, stepped);
    EXPECT_TRUE(at::allclose(output, outputs.narrow(0, step * kLanes, kLanes), 1e-5, 1e-6));
  }
  EXPECT_TRUE(at::allclose(stepped, memory, 1e-5, 1e-6));
}

TEST_P(RecurrentLayerTest, WhatCameBeforeAnEpisodeMakesNoDifferenceToIt) {
  const c10::NoGradGuard no_grad;
  at::Tensor memory = memory_, other_memory = memory_ + 1;
  at::Tensor other_inputs = inputs_.clone();
  other_inputs.narrow(0, 0, 2 * kLanes).add_(3);
  const at::Tensor outputs = layer_.Forward(inputs_, kSteps, keep_, memory);
  const at::Tensor others = layer_.Forward(other_inputs, kSteps, keep_, other_memory);
  for (int64_t step = 2; step < kSteps; ++step) {
    EXPECT_TRUE(at::equal(outputs[step * kLanes + 1], others[step * kLanes + 1]));
    EXPECT_FALSE(at::equal(outputs[step * kLanes + 2], others[step * kLanes + 2]));
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentLayerTest,
                         testing::Values(CellKind::kRnn, CellKind::kLstm, CellKind::kGru));

}  // namespace
}  // namespace hivewire
