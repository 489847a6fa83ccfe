// What every model of the registry owes to those who use it.
#include "policy/nn/model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "policy/testing/plain_policy.h"

namespace hivewire {
namespace {

constexpr int64_t kObservationDim = 6, kOutputs = 3, kLanes = 4, kSteps = 5;

std::unique_ptr<Model> Make(const v1::ModelConfig& config, std::vector<int64_t> columns = {}) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  auto model = MakeModel(config,
                         {.observation_dim = kObservationDim,
                          .policy_outputs = kOutputs,
                          .policy_columns = std::move(columns)},
                         generator);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

at::Tensor Observations() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  return at::empty({kSteps * kLanes, kObservationDim}, at::kFloat).normal_(0, 1, generator);
}

Passage NewPassage(const Model& model) {
  Passage passage = {.steps = kSteps};
  passage.policy_memory = at::zeros({kLanes, model.policy_memory_width()});
  passage.value_memory = at::zeros({kLanes, model.value_memory_width()});
  return passage;
}

// Type, shared trunk.
class ModelTest : public testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  ModelTest() {
    config_.set_type(std::get<0>(GetParam()));
    config_.set_shared_trunk(std::get<1>(GetParam()));
    config_.set_policy_gain(1);
  }

  v1::ModelConfig config_;
  c10::NoGradGuard no_grad_;
};

TEST_P(ModelTest, ItsHalvesAreItsWhole) {
  const auto model = Make(config_);
  Passage whole = NewPassage(*model), halves = NewPassage(*model);
  const Model::Output output = model->Forward(Observations(), whole);
  EXPECT_TRUE(at::allclose(model->ForwardValue(Observations(), halves), output.value));
  EXPECT_TRUE(at::allclose(model->ForwardPolicy(Observations(), halves), output.policy));
  EXPECT_TRUE(at::allclose(whole.policy_memory, halves.policy_memory));
  EXPECT_TRUE(at::allclose(whole.value_memory, halves.value_memory));
}

TEST_P(ModelTest, APassageIsItsStepsInTurn) {
  const auto model = Make(config_);
  Passage whole = NewPassage(*model), stepped = NewPassage(*model);
  stepped.steps = 1;
  const Model::Output output = model->Forward(Observations(), whole);
  for (int64_t step = 0; step < kSteps; ++step) {
    const Model::Output one =
        model->Forward(Observations().narrow(0, step * kLanes, kLanes), stepped);
    EXPECT_TRUE(
        at::allclose(one.policy, output.policy.narrow(0, step * kLanes, kLanes), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(one.value, output.value.narrow(0, step * kLanes, kLanes), 1e-4, 1e-5));
  }
}

TEST_P(ModelTest, ThePolicyDoesNotSeeTheCriticsColumns) {
  config_.set_shared_trunk(false);
  const auto model = Make(config_, {0, 2, 3, 5});
  at::Tensor other = Observations();
  other.narrow(1, 1, 1).add_(1);
  other.narrow(1, 4, 1).add_(1);
  Passage a = NewPassage(*model), b = NewPassage(*model);
  const Model::Output output = model->Forward(Observations(), a);
  const Model::Output changed = model->Forward(other, b);
  EXPECT_TRUE(at::equal(output.policy, changed.policy));
  EXPECT_FALSE(at::allclose(output.value, changed.value));
}

INSTANTIATE_TEST_SUITE_P(Models, ModelTest,
                         testing::Combine(testing::Values("mlp", "rnn", "lstm", "gru"),
                                          testing::Bool()));

TEST(ActorCritic, AnExportedPolicyHeedsNoneOfTheCriticsColumns) {
  const c10::NoGradGuard no_grad;
  v1::ModelConfig config;
  config.set_policy_gain(1);
  config.set_policy_activation("tanh");
  config.set_initialization("uniform");
  const auto model = Make(config, {1, 2, 5});
  v1::Policy policy;
  ASSERT_TRUE(model->Export(policy).ok());
  const at::Tensor observations = Observations();
  Passage passage;
  const Model::Output output = model->Forward(observations, passage);
  for (int64_t row = 0; row < observations.size(0); ++row) {
    const float* data = observations.const_data_ptr<float>() + row * kObservationDim;
    const std::vector<double> x = NormalizedByHand(policy, {data, kObservationDim});
    const std::vector<double> outputs = ActorByHand(policy, x);
    for (int64_t i = 0; i < kOutputs; ++i) {
      EXPECT_NEAR(output.policy[row][i].item<float>(), outputs[static_cast<size_t>(i)], 1e-5);
    }
    EXPECT_NEAR(output.value[row].item<float>(), ValueByHand(policy, x), 1e-5);
  }
}

// Elements of all parameters whose names begin so.
int64_t Count(const Model& model, const std::string& prefix) {
  int64_t count = 0;
  for (const NamedTensor& parameter : model.Parameters()) {
    if (parameter.name.rfind(prefix, 0) == 0) count += parameter.tensor.numel();
  }
  return count;
}

TEST(Architecture, NamesStandForTheirWidths) {
  const auto dense = [](std::vector<int64_t> widths) {
    int64_t count = 0;
    for (size_t i = 1; i < widths.size(); ++i) count += (widths[i - 1] + 1) * widths[i];
    return count;
  };
  v1::ModelConfig config;
  config.set_architecture("deeper");
  EXPECT_EQ(Count(*Make(config), "actor"), dense({kObservationDim, 64, 64, 64, 32, kOutputs}));
  config.set_architecture("wider");
  EXPECT_EQ(Count(*Make(config), "critic"), dense({kObservationDim, 1024, 512, 1}));
  config.set_type("gru");
  EXPECT_EQ(Count(*Make(config), "actor_body"),
            dense({kObservationDim, 1024}) + 3 * 512 * (1024 + 512 + 2));
  config.set_architecture("simple");
  config.set_type("lstm");
  EXPECT_EQ(Count(*Make(config), "critic_body.recurrent"), 4 * 64 * (64 + 64 + 2));
}

TEST(MakeModel, NamesTheNearestOfWhatThereIs) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const auto refusal = [&](const v1::ModelConfig& config) {
    return std::string(
        MakeModel(config, {kObservationDim, kOutputs}, generator).status().message());
  };
  v1::ModelConfig config;
  config.set_type("lstn");
  EXPECT_NE(refusal(config).find("lstm"), std::string::npos);
  config.set_type("mlp");
  config.set_architecture("wide");
  EXPECT_NE(refusal(config).find("wider"), std::string::npos);
  config.set_architecture("simple");
  config.add_hidden(0);
  EXPECT_NE(refusal(config).find("model.hidden has 0"), std::string::npos);
}

}  // namespace
}  // namespace hivewire
