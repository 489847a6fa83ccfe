#include "policy/nn/mlp.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace hivewire {
namespace {

// The same network in plain operations, by autograd.
at::Tensor Plain(at::Tensor x, const std::vector<NamedTensor>& parameters, ActivationKind kind) {
  for (size_t i = 0; i < parameters.size(); i += 2) {
    x = at::linear(x, parameters[i].tensor, parameters[i + 1].tensor);
    if (i + 2 == parameters.size()) break;
    x = kind == ActivationKind::kTanh   ? x.tanh()
        : kind == ActivationKind::kRelu ? x.relu()
                                        : at::elu(x);
  }
  return x;
}

class MlpTest : public testing::TestWithParam<ActivationKind> {};

TEST_P(MlpTest, GradientsAreAutograds) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const Mlp mlp({.widths = {5, 7, 6, 3}, .activation = GetParam(), .hidden_gain = 1.4}, generator);
  std::vector<NamedTensor> parameters;
  mlp.AppendParameters("net", parameters);
  std::vector<at::Tensor> leaves;
  for (NamedTensor& parameter : parameters) {
    parameter.tensor.mutable_grad() = at::zeros_like(parameter.tensor);
    leaves.push_back(parameter.tensor);
  }
  at::Tensor input = at::randn({11, 5}).set_requires_grad(true);
  const at::Tensor weights = at::randn({11, 3});
  leaves.push_back(input);

  const at::Tensor expected = Plain(input, parameters, GetParam());
  const auto expected_grads = torch::autograd::grad({(expected * weights).sum()}, leaves);
  const at::Tensor got = mlp.Forward(input);
  torch::autograd::backward({(got * weights).sum()});

  EXPECT_TRUE(at::allclose(got, expected, 1e-5, 1e-6));
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_TRUE(at::allclose(leaves[i].grad(), expected_grads[i], 1e-4, 1e-5)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Activations, MlpTest,
                         testing::Values(ActivationKind::kTanh, ActivationKind::kRelu,
                                         ActivationKind::kElu));

TEST(Mlp, InitialWeightsAreOrthogonal) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const Mlp mlp({.widths = {4, 9}, .output_gain = 2}, generator);
  std::vector<NamedTensor> parameters;
  mlp.AppendParameters("net", parameters);
  EXPECT_EQ(parameters[0].name, "net.0.weight");
  const at::Tensor weight = parameters[0].tensor.detach();
  EXPECT_TRUE(at::allclose(at::mm(weight.t(), weight), at::eye(4) * 4, 1e-4, 1e-5));
}

TEST(Mlp, UnknownActivationNamesThoseThatThereAre) {
  EXPECT_NE(ParseActivation("gelu").status().message().find("tanh, relu or elu"),
            std::string::npos);
}

}  // namespace
}  // namespace hivewire
