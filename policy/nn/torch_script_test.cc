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

class TorchScriptTest : public testing::TestWithParam<Case> {};

TEST_P(TorchScriptTest, GivesTheActionsOfThePolicy) {
  RandomPolicyOptions options;
  options.observation_dim = kObservationDim;
  options.hidden = {32, 16};
  options.activation = GetParam().activation;
  options.head = GetParam().head;
  options.free_log_std = GetParam().free_log_std;
  options.scale = 1.5;
  v1::Policy policy = RandomPolicy(options, ActionOf(GetParam().head));
  policy.mutable_head()->set_clip_to_box(GetParam().head == v1::ActionHead::KIND_GAUSSIAN);
  const auto portable = PortablePolicy::Create(policy);
  ASSERT_TRUE(portable.ok()) << portable.status();
  const auto bytes = TorchScript(policy);
  ASSERT_TRUE(bytes.ok()) << bytes.status();

  std::istringstream file(*bytes);
  torch::jit::Module module = torch::jit::load(file);
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

INSTANTIATE_TEST_SUITE_P(Heads, TorchScriptTest,
                         testing::Values(Case{"Gaussian", v1::ActionHead::KIND_GAUSSIAN},
                                         Case{"GaussianByState", v1::ActionHead::KIND_GAUSSIAN,
                                              false, v1::ACTIVATION_ELU},
                                         Case{"TanhGaussian", v1::ActionHead::KIND_TANH_GAUSSIAN,
                                              true, v1::ACTIVATION_RELU},
                                         Case{"Beta", v1::ActionHead::KIND_BETA, false},
                                         Case{"Categorical", v1::ActionHead::KIND_CATEGORICAL},
                                         Case{"MultiCategorical",
                                              v1::ActionHead::KIND_MULTI_CATEGORICAL}),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

TEST(TorchScript, RefusesAPolicyThatIsNone) { EXPECT_FALSE(TorchScript(v1::Policy()).ok()); }

}  // namespace
}  // namespace hivewire
