#include "policy/nn/device_policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace hivewire {
namespace {

std::string Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// Numbers that follow from `seed`, about 0.
std::vector<float> Numbers(size_t size, double seed) {
  std::vector<float> numbers(size);
  for (size_t i = 0; i < size; ++i) {
    numbers[i] = static_cast<float>(std::sin(seed + 1.7 * static_cast<double>(i)));
  }
  return numbers;
}

v1::Policy Policy(uint32_t observations, uint32_t actions) {
  v1::Policy policy;
  policy.set_version(3);
  policy.add_observation_leaves("observation");
  const auto add = [&](uint32_t inputs, uint32_t outputs, v1::Activation activation) {
    v1::DenseLayer& layer = *policy.add_actor();
    layer.set_inputs(inputs);
    layer.set_outputs(outputs);
    layer.set_weight(Bytes(Numbers(inputs * outputs, inputs)));
    layer.set_bias(Bytes(Numbers(outputs, outputs)));
    layer.set_activation(activation);
  };
  add(observations, 16, v1::ACTIVATION_TANH);
  add(16, 12, v1::ACTIVATION_ELU);
  add(12, actions, v1::ACTIVATION_UNSPECIFIED);
  policy.mutable_head()->set_kind(v1::ActionHead::KIND_GAUSSIAN);
  policy.mutable_head()->set_log_std(Bytes(Numbers(actions, 0.3)));
  v1::LeafSpec& action = *policy.add_action();
  action.set_name("action");
  action.set_dtype(v1::DTYPE_FLOAT32);
  action.add_shape(actions);
  for (uint32_t i = 0; i < observations; ++i) {
    policy.mutable_observation_normalizer()->add_mean(0.1 * i);
    policy.mutable_observation_normalizer()->add_variance(1 + 0.2 * i);
  }
  policy.mutable_observation_normalizer()->set_epsilon(1e-8);
  policy.mutable_observation_normalizer()->set_clip(0.5);
  return policy;
}

TEST(DevicePolicy, ChoosesWhatThePortableOneChooses) {
  const v1::Policy policy = Policy(5, 3);
  const auto maker = MakeDevicePolicies("cpu");
  ASSERT_TRUE(maker.ok()) << maker.status();
  const auto device = (*maker)(policy);
  ASSERT_TRUE(device.ok()) << device.status();
  const auto portable = MakeCpuPolicy(policy);
  ASSERT_TRUE(portable.ok()) << portable.status();
  // More rows, then fewer: the staging memory is used again.
  for (const size_t rows : {4, 7, 2}) {
    PolicyScratch here, there;
    std::vector<Draw> draws;
    for (size_t row = 0; row < rows; ++row) draws.push_back({9, static_cast<uint32_t>(row), rows});
    for (PolicyScratch* scratch : {&here, &there}) {
      (*portable)->portable().Reserve(rows, *scratch);
      const std::vector<float> observations = Numbers(rows * 5, 2);
      std::copy(observations.begin(), observations.end(), scratch->observations.begin());
    }
    ASSERT_TRUE((*portable)->Act(draws, here).ok());
    ASSERT_TRUE((*device)->Act(draws, there).ok());
    for (size_t i = 0; i < rows * 3; ++i) EXPECT_NEAR(here.sent[i], there.sent[i], 1e-5);
    for (size_t i = 0; i < rows; ++i) EXPECT_NEAR(here.log_probs[i], there.log_probs[i], 1e-5);
  }
}

TEST(DevicePolicy, ADeviceThatIsNoneIsRefused) {
  EXPECT_EQ(MakeDevicePolicies("tpu").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hivewire
