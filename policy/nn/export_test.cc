// A policy as data is the policy that LibTorch evaluates.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "policy/nn/distribution.h"
#include "policy/nn/model.h"
#include "policy/portable/portable_policy.h"
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

// `policy` as data that can be evaluated, over a box of `dim` elements.
std::shared_ptr<const PortablePolicy> Portable(v1::Policy policy, int64_t dim) {
  policy.add_observation_leaves("observation");
  v1::LeafSpec& leaf = *policy.add_action();
  leaf.set_name("action");
  leaf.set_dtype(v1::DTYPE_FLOAT32);
  leaf.add_shape(dim);
  leaf.add_low(-1);
  leaf.add_high(3);
  auto made = PortablePolicy::Create(policy, {.may_remember = true});
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

class RecurrentExportTest : public testing::TestWithParam<const char*> {};

TEST_P(RecurrentExportTest, HoldsWhatThePolicyDoesWithAMemoryAndBeta) {
  const c10::NoGradGuard no_grad;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  v1::DistributionConfig distribution_config;
  distribution_config.set_type("beta-mean");
  const auto distribution =
      *MakeDistribution(distribution_config, ActionSpace::Box({-1, -1}, {3, 3}));
  v1::ModelConfig config;
  config.set_type(GetParam());
  config.add_hidden(24);
  config.set_recurrent_width(12);
  config.set_policy_gain(1);
  const auto model = *MakeModel(config, {kObservationDim, distribution->num_inputs()}, generator);
  for (const NamedTensor& parameter : model->Parameters()) {
    parameter.tensor.add_(at::empty(parameter.tensor.sizes()).normal_(0, 0.3, generator));
  }
  v1::Policy policy;
  ASSERT_TRUE(model->Export(policy).ok());
  ASSERT_TRUE(distribution->Export(*policy.mutable_head()).ok());
  const auto portable = Portable(policy, 2);
  ASSERT_EQ(static_cast<int64_t>(portable->memory_width()), model->policy_memory_width());

  Passage passage;
  passage.policy_memory = at::zeros({kRows, model->policy_memory_width()});
  PolicyScratch scratch;
  portable->Reserve(kRows, scratch);
  for (int step = 0; step < 10; ++step) {
    const at::Tensor observations =
        at::empty({kRows, kObservationDim}, at::kFloat).normal_(0, 2, generator);
    std::copy_n(observations.const_data_ptr<float>(), observations.numel(),
                scratch.observations.begin());
    portable->Act(std::vector<Draw>(kRows), /*deterministic=*/true, scratch);
    const at::Tensor modes =
        distribution->Mode(model->ForwardPolicy(observations, passage)).contiguous();
    for (int64_t k = 0; k < modes.numel(); ++k) {
      ASSERT_NEAR(modes.const_data_ptr<float>()[k], scratch.sent[k], kTolerance) << step;
    }
    const at::Tensor memory = passage.policy_memory.contiguous();
    for (int64_t k = 0; k < memory.numel(); ++k) {
      ASSERT_NEAR(memory.const_data_ptr<float>()[k], scratch.memory[k], kTolerance) << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentExportTest, testing::Values("rnn", "lstm", "gru"));

}  // namespace
}  // namespace hivewire
