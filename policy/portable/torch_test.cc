// The evaluator gives what LibTorch gives: outputs, values and log-probs within 1e-5, for every
// head and every activation.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "policy/nn/distribution.h"
#include "policy/portable/portable_policy.h"
#include "policy/portable/testing/random_policy.h"

namespace hivewire {
namespace {

constexpr int64_t kRows = 50;
constexpr int64_t kObservations = 17;
constexpr float kLow = -1.5f, kHigh = 2;

at::Tensor TensorOf(const std::string& bytes, at::IntArrayRef shape) {
  return at::from_blob(const_cast<char*>(bytes.data()), shape, at::kFloat).clone();
}

at::Tensor Forward(const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers, at::Tensor x) {
  for (const v1::DenseLayer& layer : layers) {
    x = at::linear(x, TensorOf(layer.weight(), {layer.outputs(), layer.inputs()}),
                   TensorOf(layer.bias(), {layer.outputs()}));
    if (layer.activation() == v1::ACTIVATION_TANH) x = at::tanh(x);
    if (layer.activation() == v1::ACTIVATION_RELU) x = at::relu(x);
    if (layer.activation() == v1::ACTIVATION_ELU) x = at::elu(x);
  }
  return x;
}

at::Tensor Normalized(const v1::Normalizer& normalizer, const at::Tensor& x) {
  std::vector<double> mean(normalizer.mean().begin(), normalizer.mean().end());
  std::vector<double> variance(normalizer.variance().begin(), normalizer.variance().end());
  const at::Tensor scaled = (x - at::tensor(mean).to(at::kFloat)) /
                            at::sqrt(at::tensor(variance) + normalizer.epsilon()).to(at::kFloat);
  return at::clamp(scaled, -normalizer.clip(), normalizer.clip());
}

google::protobuf::RepeatedPtrField<v1::LeafSpec> ActionFor(v1::ActionHead::Kind head) {
  google::protobuf::RepeatedPtrField<v1::LeafSpec> leaves;
  v1::LeafSpec& leaf = *leaves.Add();
  leaf.set_name("action");
  if (head == v1::ActionHead::KIND_CATEGORICAL || head == v1::ActionHead::KIND_MULTI_CATEGORICAL) {
    leaf.set_dtype(v1::DTYPE_INT64);
    leaf.set_cardinality(5);
    if (head == v1::ActionHead::KIND_MULTI_CATEGORICAL) leaf.add_shape(3);
  } else {
    leaf.set_dtype(v1::DTYPE_FLOAT32);
    leaf.add_shape(3);
    leaf.add_low(kLow);
    leaf.add_high(kHigh);
  }
  return leaves;
}

at::Tensor NormalLogProb(const at::Tensor& z, const at::Tensor& log_std) {
  return -0.5 * z.square() - log_std - 0.5 * std::log(2 * M_PI);
}

// (rows) log-probs of `actions` (rows, dim), as torch.distributions has them.
at::Tensor LogProb(v1::ActionHead::Kind head, bool free_log_std, const at::Tensor& outputs,
                   const at::Tensor& actions) {
  const int64_t dim = actions.size(1);
  switch (head) {
    case v1::ActionHead::KIND_GAUSSIAN: {
      if (free_log_std) {
        v1::DistributionConfig config;
        config.set_initial_log_std(-0.5);
        const auto gaussian =
            *MakeDistribution(config, ActionSpace::Box({kLow, kLow, kLow}, {kHigh, kHigh, kHigh}));
        return gaussian->Evaluate(outputs, actions.to(at::kFloat)).log_prob;
      }
      const at::Tensor log_std = outputs.slice(1, dim);
      return NormalLogProb((actions - outputs.slice(1, 0, dim)) / log_std.exp(), log_std).sum(1);
    }
    case v1::ActionHead::KIND_TANH_GAUSSIAN: {
      const at::Tensor log_std =
          free_log_std ? at::full({kRows, dim}, -0.5) : outputs.slice(1, dim);
      const double half = (kHigh - kLow) / 2;
      const at::Tensor y = ((actions - kLow) / half - 1).to(at::kDouble);
      const at::Tensor u = at::atanh(y);
      return (NormalLogProb((u - outputs.slice(1, 0, dim)) / log_std.exp(), log_std) -
              at::log1p(-y.square()) - std::log(half))
          .sum(1);
    }
    case v1::ActionHead::KIND_BETA: {
      const at::Tensor alpha = (1 + at::softplus(outputs.slice(1, 0, dim))).to(at::kDouble);
      const at::Tensor beta = (1 + at::softplus(outputs.slice(1, dim))).to(at::kDouble);
      const at::Tensor x = (actions - kLow) / (kHigh - kLow);
      return ((alpha - 1) * x.log() + (beta - 1) * at::log1p(-x) + at::lgamma(alpha + beta) -
              at::lgamma(alpha) - at::lgamma(beta) - std::log(kHigh - kLow))
          .sum(1);
    }
    case v1::ActionHead::KIND_CATEGORICAL:
      return MakeDistribution({}, ActionSpace::Discrete(5))
          .value()
          ->Evaluate(outputs, actions.squeeze(1).to(at::kLong))
          .log_prob;
    default:
      return at::log_softmax(outputs.view({kRows, dim, 5}), 2)
          .gather(2, actions.to(at::kLong).unsqueeze(2))
          .squeeze(2)
          .sum(1);
  }
}

// (rows) how far apart float32 lets the log-probs be beyond their own rounding: outputs and actions
// are known to some units in their last place, of which a narrow or a saturated distribution makes
// much.
at::Tensor Slack(v1::ActionHead::Kind head, bool free_log_std, const at::Tensor& outputs,
                 const at::Tensor& actions) {
  constexpr double kUnits = 32 * 0x1p-24;
  if (head != v1::ActionHead::KIND_GAUSSIAN && head != v1::ActionHead::KIND_TANH_GAUSSIAN)
    return at::zeros({kRows}, at::kDouble);
  const int64_t dim = actions.size(1);
  const at::Tensor exact = outputs.to(at::kDouble);
  const at::Tensor mean = exact.slice(1, 0, dim);
  const at::Tensor std = free_log_std ? at::full({kRows, dim}, std::exp(-0.5), at::kDouble)
                                      : exact.slice(1, dim).exp();
  at::Tensor u = actions;
  at::Tensor du = kUnits * at::maximum(u.abs(), mean.abs()).clamp_min(1);
  if (head == v1::ActionHead::KIND_TANH_GAUSSIAN) {
    const double half = (kHigh - kLow) / 2;
    const at::Tensor y = (actions - kLow) / half - 1;
    u = at::atanh(y);
    du = kUnits * (mean.abs().clamp_min(1) +
                   std::max(std::abs(kLow), std::abs(kHigh)) / (half * (1 - y.square())));
  }
  const at::Tensor z = (u - mean) / std;
  return ((z.abs() / std + z.square() + 2) * du).sum(1);
}

using Parameters = std::tuple<v1::ActionHead::Kind, v1::Activation, bool>;

class TorchTest : public testing::TestWithParam<Parameters> {};

TEST_P(TorchTest, GivesTheSameValuesLogProbsAndModes) {
  const auto [head, activation, free_log_std] = GetParam();
  const v1::Policy proto = RandomPolicy({.observation_dim = kObservations,
                                         .hidden = {64, 33},
                                         .activation = activation,
                                         .head = head,
                                         .free_log_std = free_log_std},
                                        ActionFor(head));
  const auto policy = PortablePolicy::Create(proto);
  ASSERT_TRUE(policy.ok()) << policy.status();
  const int64_t dim = static_cast<int64_t>((*policy)->action_dim());
  PolicyScratch scratch;
  (*policy)->Reserve(kRows, scratch);
  const at::Tensor seen =
      at::sin(at::arange(kRows * kObservations, at::kFloat) * 0.9f).view({kRows, kObservations}) *
      3;
  const at::Tensor x = Normalized(proto.observation_normalizer(), seen);
  const at::Tensor outputs = Forward(proto.actor(), x);
  std::vector<Draw> draws(kRows);
  for (uint32_t row = 0; row < kRows; ++row) draws[row] = {1, row, 1};
  const auto act = [&](bool deterministic) {
    std::copy_n(seen.const_data_ptr<float>(), kRows * kObservations, scratch.observations.begin());
    (*policy)->Act(draws, deterministic, scratch);
    return at::from_blob(scratch.chosen.data(), {kRows, dim}, at::kDouble).clone();
  };

  const at::Tensor actions = act(/*deterministic=*/false);
  const at::Tensor log_probs = LogProb(head, free_log_std, outputs, actions);
  const at::Tensor slack = Slack(head, free_log_std, outputs, actions);
  const at::Tensor values = Forward(proto.critic(), x);
  int compared = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    const double expected = log_probs[row].item().toDouble();
    const double given = scratch.log_probs[static_cast<size_t>(row)];
    EXPECT_NEAR(scratch.values[static_cast<size_t>(row)], values[row].item().toDouble(), 1e-5);
    EXPECT_TRUE(std::isfinite(given)) << "also where tanh is 1 in float32, which has no way back";
    if (!std::isfinite(expected)) continue;
    ++compared;
    EXPECT_NEAR(given, expected,
                1e-5 * std::max(1.0, std::abs(expected)) + slack[row].item().toDouble());
  }
  EXPECT_GT(compared, 0);

  const at::Tensor modes = act(/*deterministic=*/true);
  at::Tensor expected = outputs.slice(1, 0, dim);
  if (head == v1::ActionHead::KIND_TANH_GAUSSIAN)
    expected = kLow + (kHigh - kLow) / 2 * (1 + at::tanh(expected));
  if (head == v1::ActionHead::KIND_BETA) {
    const at::Tensor a = at::softplus(expected), b = at::softplus(outputs.slice(1, dim));
    expected = kLow + (kHigh - kLow) * a / (a + b);
  }
  if (head == v1::ActionHead::KIND_CATEGORICAL || head == v1::ActionHead::KIND_MULTI_CATEGORICAL)
    expected = outputs.view({kRows, dim, 5}).argmax(2);
  EXPECT_TRUE(at::allclose(modes, expected.to(at::kDouble), 1e-5, 1e-5));
}

INSTANTIATE_TEST_SUITE_P(
    HeadsAndActivations, TorchTest,
    testing::Combine(testing::Values(v1::ActionHead::KIND_GAUSSIAN,
                                     v1::ActionHead::KIND_TANH_GAUSSIAN, v1::ActionHead::KIND_BETA,
                                     v1::ActionHead::KIND_CATEGORICAL,
                                     v1::ActionHead::KIND_MULTI_CATEGORICAL),
                     testing::Values(v1::ACTIVATION_UNSPECIFIED, v1::ACTIVATION_TANH,
                                     v1::ACTIVATION_RELU, v1::ACTIVATION_ELU),
                     testing::Bool()));

}  // namespace
}  // namespace hivewire
