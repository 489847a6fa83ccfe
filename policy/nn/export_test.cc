// A policy as data is the policy that LibTorch evaluates.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "policy/nn/distribution.h"
#include "policy/nn/model.h"
#include "policy/testing/plain_policy.h"

namespace hivewire {
namespace {

constexpr int kRows = 50;
constexpr int kObservationDim = 5;
constexpr double kTolerance = 1e-5;

// Activation, shared trunk, discrete actions.
class ExportTest : public testing::TestWithParam<std::tuple<const char*, bool, bool>> {};

TEST_P(ExportTest, HoldsMeansLogProbsAndValues) {
  const auto [activation, shared_trunk, discrete] = GetParam();
  const c10::NoGradGuard no_grad;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const ActionSpace action =
      discrete ? ActionSpace::Discrete(4) : ActionSpace::Box({-1, -2, -3}, {1, 2, 3});
  v1::DistributionConfig distribution_config;
  distribution_config.set_initial_log_std(-0.7);
  const auto distribution = *MakeDistribution(distribution_config, action);
  v1::ModelConfig config;
  for (const int width : {24, 16}) config.add_hidden(width);
  config.set_activation(activation);
  config.set_shared_trunk(shared_trunk);
  config.set_policy_gain(1);
  const auto model = *MakeModel(config, {kObservationDim, distribution->num_inputs()}, generator);
  // Biases start at 0, where a mistake would not show.
  for (const NamedTensor& parameter : model->Parameters()) {
    parameter.tensor.add_(at::empty(parameter.tensor.sizes()).normal_(0, 0.1, generator));
  }

  v1::Policy policy;
  ASSERT_TRUE(model->Export(policy).ok());
  ASSERT_TRUE(distribution->Export(*policy.mutable_head()).ok());
  EXPECT_EQ(policy.actor_size(), 3);
  EXPECT_EQ(policy.critic_size(), 3);

  const at::Tensor observations =
      at::empty({kRows, kObservationDim}, at::kFloat).normal_(0, 2, generator);
  Passage passage;
  const Model::Output output = model->Forward(observations, passage);
  const at::Tensor actions = distribution->Sample(output.policy, generator);
  const at::Tensor log_probs = distribution->Evaluate(output.policy, actions).log_prob;
  const at::Tensor action_rows = actions.to(at::kFloat).reshape({kRows, -1}).contiguous();
  for (int row = 0; row < kRows; ++row) {
    const float* observation = observations.const_data_ptr<float>() + row * kObservationDim;
    const std::vector<double> x = NormalizedByHand(policy, {observation, kObservationDim});
    const std::vector<double> outputs = ActorByHand(policy, x);
    ASSERT_EQ(static_cast<int64_t>(outputs.size()), distribution->num_inputs());
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_NEAR(output.policy[row][static_cast<int64_t>(i)].item<float>(), outputs[i],
                  kTolerance);
    }
    const auto dim = static_cast<size_t>(action_rows.size(1));
    const float* chosen = action_rows.const_data_ptr<float>() + static_cast<size_t>(row) * dim;
    EXPECT_NEAR(log_probs[row].item<float>(), LogProbByHand(policy, outputs, {chosen, dim}),
                kTolerance);
    EXPECT_NEAR(output.value[row].item<float>(), ValueByHand(policy, x), kTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ExportTest,
                         testing::Combine(testing::Values("tanh", "relu", "elu"), testing::Bool(),
                                          testing::Bool()));

}  // namespace
}  // namespace hivewire
