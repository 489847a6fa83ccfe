// A policy's TorchScript module gives the actions that the policy itself gives.
#include "policy/nn/torch_script.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "policy/portable/portable_policy.h"
#include "policy/portable/testing/random_policy.h"

namespace hivewire {
namespace {

constexpr int kRows = 1000;
constexpr uint32_t kObservationDim = 6;
constexpr double kTolerance = 1e-5;

struct Case {
  std::string name;
  v1::ActionHead::Kind head;
  bool free_log_std = true;
  v1::Activation activation = v1::ACTIVATION_TANH;
  bool beta_spread = false;
};

google::protobuf::RepeatedPtrField<v1::LeafSpec> ActionOf(v1::ActionHead::Kind head) {
  google::protobuf::RepeatedPtrField<v1::LeafSpec> action;
  v1::LeafSpec& leaf = *action.Add();
  leaf.set_name("action");
  if (head == v1::ActionHead::KIND_CATEGORICAL || head == v1::ActionHead::KIND_MULTI_CATEGORICAL) {
    leaf.set_dtype(v1::DTYPE_INT64);
    leaf.set_cardinality(4);
    leaf.set_start(-1);
    if (head == v1::ActionHead::KIND_MULTI_CATEGORICAL) leaf.add_shape(3);
    return action;
  }
  leaf.set_dtype(v1::DTYPE_FLOAT32);
  leaf.add_shape(3);
  for (const double bound : {0.4, 1.0, 3.0}) {
    leaf.add_low(-bound);
    leaf.add_high(2 * bound);
  }
  return action;
}

torch::jit::Module Load(const v1::Policy& policy) {
  const auto bytes = TorchScript(policy);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  std::istringstream file(bytes.value());
  return torch::jit::load(file);
}

class TorchScriptTest : public testing::TestWithParam<Case> {};

TEST_P(TorchScriptTest, GivesTheActionsOfThePolicy) {
  RandomPolicyOptions options;
  options.observation_dim = kObservationDim;
  options.hidden = {32, 16};
  options.activation = GetParam().activation;
  options.head = GetParam().head;
  options.free_log_std = GetParam().free_log_std;
  options.beta_spread = GetParam().beta_spread;
  options.scale = 1.5;
  v1::Policy policy = RandomPolicy(options, ActionOf(GetParam().head));
  policy.mutable_head()->set_clip_to_box(GetParam().head == v1::ActionHead::KIND_GAUSSIAN);
  const auto portable = PortablePolicy::Create(policy);
  ASSERT_TRUE(portable.ok()) << portable.status();
  torch::jit::Module module = Load(policy);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor observations =
      at::empty({kRows, kObservationDim}, at::kFloat).normal_(0, 2, generator);
  PolicyScratch scratch;
  (*portable)->Reserve(kRows, scratch);
  std::copy_n(observations.const_data_ptr<float>(), observations.numel(),
              scratch.observations.begin());
  (*portable)->Act(std::vector<Draw>(kRows), /*deterministic=*/true, scratch);

  const at::Tensor actions = module.forward({observations}).toTensor().to(at::kDouble).contiguous();
  ASSERT_EQ(static_cast<size_t>(actions.numel()), kRows * (*portable)->action_dim());
  const at::Tensor values =
      module.get_method("value")({observations}).toTensor().to(at::kFloat).contiguous();
  double moved = 0;
  for (int64_t k = 0; k < actions.numel(); ++k) {
    EXPECT_NEAR(actions.const_data_ptr<double>()[k], scratch.sent[k], kTolerance) << k;
    moved = std::max(moved, std::abs(scratch.sent[k] - scratch.sent[0]));
  }
  EXPECT_GT(moved, 0.1);  // the policy looks at what it is shown
  for (int row = 0; row < kRows; ++row) {
    EXPECT_NEAR(values.const_data_ptr<float>()[row], scratch.values[row], kTolerance) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Heads, TorchScriptTest,
    testing::Values(
        Case{"Gaussian", v1::ActionHead::KIND_GAUSSIAN},
        Case{"GaussianByState", v1::ActionHead::KIND_GAUSSIAN, false, v1::ACTIVATION_ELU},
        Case{"TanhGaussian", v1::ActionHead::KIND_TANH_GAUSSIAN, true, v1::ACTIVATION_RELU},
        Case{"Beta", v1::ActionHead::KIND_BETA, false},
        Case{"BetaByMean", v1::ActionHead::KIND_BETA, true, v1::ACTIVATION_TANH, true},
        Case{"Categorical", v1::ActionHead::KIND_CATEGORICAL},
        Case{"MultiCategorical", v1::ActionHead::KIND_MULTI_CATEGORICAL}),
    [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

class RecurrentTorchScriptTest : public testing::TestWithParam<v1::RecurrentLayer::Cell> {};

TEST_P(RecurrentTorchScriptTest, TakesAndGivesWhatThePolicyRemembers) {
  RandomPolicyOptions options;
  options.observation_dim = kObservationDim;
  options.hidden = {32, 16};
  options.cell = GetParam();
  options.critic = false;
  options.scale = 1.5;
  const v1::Policy policy = RandomPolicy(options, ActionOf(v1::ActionHead::KIND_GAUSSIAN));
  const auto portable = PortablePolicy::Create(policy, {.may_remember = true});
  ASSERT_TRUE(portable.ok()) << portable.status();
  torch::jit::Module module = Load(policy);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  at::Tensor memory = module.get_method("no_memory")({kRows}).toTensor();
  ASSERT_EQ(static_cast<size_t>(memory.size(1)), (*portable)->memory_width());
  PolicyScratch scratch;
  (*portable)->Reserve(kRows, scratch);
  std::vector<double> first;
  for (int step = 0; step < 20; ++step) {
    // The same at the beginning and at the end, where only the memory is another.
    generator.set_current_seed(step % 19);
    const at::Tensor observations =
        at::empty({kRows, kObservationDim}, at::kFloat).normal_(0, 2, generator);
    std::copy_n(observations.const_data_ptr<float>(), observations.numel(),
                scratch.observations.begin());
    (*portable)->Act(std::vector<Draw>(kRows), /*deterministic=*/true, scratch);
    const auto given = module.forward({observations, memory}).toTuple();
    const at::Tensor actions = given->elements()[0].toTensor().to(at::kDouble).contiguous();
    memory = given->elements()[1].toTensor();
    const at::Tensor remembered = memory.contiguous();
    for (int64_t k = 0; k < actions.numel(); ++k) {
      ASSERT_NEAR(actions.const_data_ptr<double>()[k], scratch.sent[k], kTolerance) << step;
    }
    for (int64_t k = 0; k < remembered.numel(); ++k) {
      ASSERT_NEAR(remembered.const_data_ptr<float>()[k], scratch.memory[k], kTolerance) << step;
    }
    if (step == 0) first = scratch.sent;
  }
  double moved = 0;
  for (size_t k = 0; k < first.size(); ++k) {
    moved = std::max(moved, std::abs(first[k] - scratch.sent[k]));
  }
  EXPECT_GT(moved, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentTorchScriptTest,
                         testing::Values(v1::RecurrentLayer::CELL_RNN,
                                         v1::RecurrentLayer::CELL_LSTM,
                                         v1::RecurrentLayer::CELL_GRU));

TEST(TorchScript, RefusesAPolicyThatIsNone) { EXPECT_FALSE(TorchScript(v1::Policy()).ok()); }

}  // namespace
}  // namespace hivewire
