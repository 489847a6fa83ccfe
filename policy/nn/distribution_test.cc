#include "policy/nn/distribution.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "policy/portable/counter_rng.h"
#include "policy/portable/head.h"

namespace hivewire {
namespace {

std::unique_ptr<Distribution> Make(const ActionSpace& action, double log_std = 0) {
  v1::DistributionConfig config;
  config.set_initial_log_std(log_std);
  return *MakeDistribution(config, action);
}

at::Tensor Row(std::vector<double> values) {
  return at::tensor(values).to(at::kFloat).unsqueeze(0);
}

TEST(Gaussian, LogProbAndEntropyAreTheClosedForms) {
  const auto gaussian = Make(ActionSpace::Box({-1, -1}, {1, 1}), std::log(0.5));
  const auto likelihood = gaussian->Evaluate(Row({1, 2}), Row({1.5, 1}));
  // Each element is N(mean, 0.5²): z = 1 and z = −2.
  const double log_prob = -0.5 - 2 - 2 * (std::log(0.5) + 0.5 * std::log(2 * M_PI));
  EXPECT_NEAR(likelihood.log_prob.item<float>(), log_prob, 1e-5);
  EXPECT_NEAR(likelihood.entropy.item<float>(), std::log(2 * M_PI * M_E * 0.25), 1e-5);
}

TEST(Gaussian, GradientsAreThoseOfTheClosedForm) {
  const auto gaussian = Make(ActionSpace::Box({-1, -1, -1}, {1, 1, 1}), -0.3);
  at::Tensor mean = at::randn({6, 3}).set_requires_grad(true);
  const at::Tensor log_std = gaussian->Parameters()[0].tensor;
  const at::Tensor actions = at::randn({6, 3});
  const at::Tensor weights = at::randn({6});
  const auto got = torch::autograd::grad(
      {(gaussian->Evaluate(mean, actions).log_prob * weights).sum()}, {mean, log_std});
  const at::Tensor plain =
      (-0.5 * ((actions - mean) / log_std.exp()).square() - log_std - 0.5 * std::log(2 * M_PI))
          .sum(1);
  const auto expected = torch::autograd::grad({(plain * weights).sum()}, {mean, log_std});
  EXPECT_TRUE(at::allclose(got[0], expected[0], 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(got[1], expected[1], 1e-4, 1e-5));
}

TEST(Gaussian, SamplesSpreadByTheStandardDeviationAndTheModeIsTheMean) {
  const auto gaussian = Make(ActionSpace::Box({-1}, {1}), std::log(2.0));
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor mean = at::full({20000, 1}, 5.0f);
  const c10::NoGradGuard no_grad;
  const at::Tensor samples = gaussian->Sample(mean, generator);
  EXPECT_NEAR(samples.mean().item<float>(), 5, 0.05);
  EXPECT_NEAR(samples.std().item<float>(), 2, 0.05);
  EXPECT_TRUE(at::equal(gaussian->Mode(mean), mean));
}

TEST(Categorical, LogProbAndEntropyAreTheClosedForms) {
  const auto categorical = Make(ActionSpace::Discrete(3));
  const at::Tensor logits = Row({0.2, 0.3, 0.5}).log() + 4;
  const auto likelihood = categorical->Evaluate(logits, at::full({1}, 2, at::kLong));
  EXPECT_NEAR(likelihood.log_prob.item<float>(), std::log(0.5), 1e-5);
  EXPECT_NEAR(likelihood.entropy.item<float>(),
              -(0.2 * std::log(0.2) + 0.3 * std::log(0.3) + 0.5 * std::log(0.5)), 1e-5);
}

TEST(Categorical, SamplesByItsProbabilities) {
  const auto categorical = Make(ActionSpace::Discrete(3));
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor logits = Row({0.2, 0.3, 0.5}).log().expand({30000, 3});
  const at::Tensor counts = categorical->Sample(logits, generator).bincount();
  EXPECT_NEAR(counts[0].item<int64_t>() / 30000.0, 0.2, 0.01);
  EXPECT_NEAR(counts[1].item<int64_t>() / 30000.0, 0.3, 0.01);
  EXPECT_EQ(categorical->Mode(logits)[0].item<int64_t>(), 2);
}

TEST(Distribution, ElementsAddUpToTheAction) {
  const ActionSpace box = ActionSpace::Box({-2, 0, -1}, {3, 1, 1});
  for (const char* type : {"gaussian", "tanh-gaussian", "beta", "beta-mean"}) {
    for (const char* std : {"free", "state"}) {
      v1::DistributionConfig config;
      config.set_type(type);
      config.set_std(std);
      const auto distribution = *MakeDistribution(config, box);
      const at::Tensor inputs = at::randn({50, distribution->num_inputs()});
      at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
      const at::Tensor actions = distribution->Sample(inputs, generator).detach();
      const at::Tensor elements = distribution->ElementLogProbs(inputs, actions);
      ASSERT_EQ(elements.sizes(), at::IntArrayRef({50, 3})) << type;
      EXPECT_TRUE(at::allclose(elements.sum(1), distribution->Evaluate(inputs, actions).log_prob,
                               1e-4, 1e-4))
          << type;
      // Each follows its own action alone.
      at::Tensor others = actions.clone();
      others.narrow(1, 1, 2).mul_(0.9);
      const at::Tensor moved = distribution->ElementLogProbs(inputs, others);
      EXPECT_TRUE(at::equal(moved.select(1, 0), elements.select(1, 0))) << type;
      EXPECT_FALSE(at::equal(moved.select(1, 1), elements.select(1, 1))) << type;
    }
  }
  const auto multi = Make(ActionSpace::MultiDiscrete(2, 3));
  const at::Tensor logits = at::randn({4, 6});
  const at::Tensor choices = at::tensor({0, 1, 2, 0, 1, 1, 2, 2}).reshape({4, 2});
  const at::Tensor each = multi->ElementLogProbs(logits, choices);
  EXPECT_TRUE(at::allclose(each.sum(1), multi->Evaluate(logits, choices).log_prob));
  EXPECT_TRUE(at::allclose(each.select(1, 1),
                           Make(ActionSpace::Discrete(3))
                               ->ElementLogProbs(logits.narrow(1, 3, 3), choices.select(1, 1))
                               .squeeze(1)));
}

// A distribution over one bounded element, with inputs of one row.
struct Continuous {
  const char* type;
  const char* std;
  std::vector<double> inputs;
};

class ContinuousTest : public testing::TestWithParam<Continuous> {
 protected:
  static constexpr double kLow = -2, kHigh = 3;

  ContinuousTest() {
    v1::DistributionConfig config;
    config.set_type(GetParam().type);
    config.set_std(GetParam().std);
    config.set_initial_log_std(-0.5);
    distribution_ = *MakeDistribution(config, ActionSpace::Box({kLow}, {kHigh}));
  }

  // Inputs, `rows` times.
  at::Tensor Inputs(int64_t rows) const { return Row(GetParam().inputs).expand({rows, -1}); }

  std::unique_ptr<Distribution> distribution_;
  c10::NoGradGuard no_grad_;
};

TEST_P(ContinuousTest, DensityIntegratesToOneAndEntropyIsItsIntegral) {
  constexpr int64_t kPoints = 50000;
  // Midpoints; a Gaussian has tails outside of its box.
  const bool boxed = std::string(GetParam().type) != "gaussian";
  const double low = boxed ? kLow : -20, width = boxed ? kHigh - kLow : 40;
  const at::Tensor points =
      ((at::arange(kPoints, at::kDouble) + 0.5) * (width / kPoints) + low).to(at::kFloat);
  const auto likelihood = distribution_->Evaluate(Inputs(kPoints), points.unsqueeze(1));
  const at::Tensor log_density = likelihood.log_prob.to(at::kDouble);
  const at::Tensor density = log_density.exp();
  const double step = width / kPoints;
  EXPECT_NEAR(density.sum().item<double>() * step, 1, 1e-3);
  EXPECT_NEAR(-(density * log_density).sum().item<double>() * step,
              likelihood.entropy[0].item<float>(), 2e-3);
}

TEST_P(ContinuousTest, SamplesAreOfTheDensity) {
  constexpr int64_t kRows = 40000;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor samples = distribution_->Sample(Inputs(kRows), generator);
  ASSERT_EQ(samples.sizes(), at::IntArrayRef({kRows, 1}));
  // By the law of large numbers, the mean of −log p is the entropy; so are moments of tails.
  const auto likelihood = distribution_->Evaluate(Inputs(kRows), samples);
  EXPECT_NEAR(-likelihood.log_prob.mean().item<float>(), likelihood.entropy[0].item<float>(), 0.02);
  if (std::string(GetParam().type) == "gaussian") return;
  EXPECT_GE(samples.min().item<float>(), kLow);
  EXPECT_LE(samples.max().item<float>(), kHigh);
}

TEST_P(ContinuousTest, ModeIsAsLikelyAsAnythingOrTheSquashedMean) {
  const at::Tensor mode = distribution_->Mode(Inputs(1));
  if (std::string(GetParam().type) == "tanh-gaussian") {
    EXPECT_NEAR(mode.item<float>(), kLow + 2.5 * (1 + std::tanh(GetParam().inputs[0])), 1e-5);
    return;
  }
  const at::Tensor points = at::linspace(kLow + 1e-3, kHigh - 1e-3, 1000).unsqueeze(1);
  const float best = distribution_->Evaluate(Inputs(1), mode).log_prob.item<float>();
  const at::Tensor all = distribution_->Evaluate(Inputs(1000), points).log_prob;
  EXPECT_GE(best, all.max().item<float>() - 1e-5);
}

TEST_P(ContinuousTest, ExportedHeadIsTheDistribution) {
  v1::ActionHead exported;
  ASSERT_TRUE(distribution_->Export(exported).ok());
  google::protobuf::RepeatedPtrField<v1::LeafSpec> leaves;
  v1::LeafSpec& leaf = *leaves.Add();
  leaf.set_name("action");
  leaf.set_dtype(v1::DTYPE_FLOAT32);
  leaf.add_shape(1);
  leaf.add_low(kLow);
  leaf.add_high(kHigh);
  const auto head = Head::Make(exported, leaves, GetParam().inputs.size());
  ASSERT_TRUE(head.ok()) << head.status();
  const std::vector<float> inputs(GetParam().inputs.begin(), GetParam().inputs.end());
  double chosen = 0, sent = 0;
  head->Choose(inputs.data(), nullptr, &chosen, &sent);
  EXPECT_NEAR(chosen, distribution_->Mode(Inputs(1)).item<float>(), 1e-5);
  CounterRng rng(5, 0, 0);
  for (int i = 0; i < 20; ++i) {
    const float log_prob = head->Choose(inputs.data(), &rng, &chosen, &sent);
    const at::Tensor action = at::full({1, 1}, chosen, at::kFloat);
    EXPECT_NEAR(distribution_->Evaluate(Inputs(1), action).log_prob.item<float>(), log_prob, 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Distributions, ContinuousTest,
                         testing::Values(Continuous{"gaussian", "free", {0.4}},
                                         Continuous{"gaussian", "fixed", {0.4}},
                                         Continuous{"gaussian", "state", {0.4, -0.3}},
                                         Continuous{"gaussian", "state", {0.4, -30}},
                                         Continuous{"tanh-gaussian", "free", {0.4}},
                                         Continuous{"tanh-gaussian", "state", {-0.7, 0.2}},
                                         Continuous{"beta", "free", {0.5, 2}},
                                         Continuous{"beta", "free", {-3, 1}},
                                         Continuous{"beta-mean", "free", {1.5}}));

TEST(Deviation, OnlyAFreeOneIsAParameterAndAStatesStartsByItsBias) {
  v1::DistributionConfig config;
  config.set_initial_log_std(-0.7);
  const ActionSpace box = ActionSpace::Box({-1, -1}, {1, 1});
  EXPECT_EQ((*MakeDistribution(config, box))->Parameters().size(), 1u);
  config.set_std("fixed");
  EXPECT_TRUE((*MakeDistribution(config, box))->Parameters().empty());
  config.set_std("state");
  const auto by_state = *MakeDistribution(config, box);
  EXPECT_TRUE(by_state->Parameters().empty());
  EXPECT_EQ(by_state->num_inputs(), 4);
  const at::Tensor bias = by_state->InitialBias();
  EXPECT_TRUE(at::equal(bias.narrow(0, 0, 2), at::zeros({2})));
  config.set_std("free");
  EXPECT_NEAR(by_state->Evaluate(bias.unsqueeze(0), Row({0.1, 0.2})).log_prob.item<float>(),
              (*MakeDistribution(config, box))
                  ->Evaluate(Row({0, 0}), Row({0.1, 0.2}))
                  .log_prob.item<float>(),
              1e-5);
  config.set_std("stat");
  EXPECT_NE(MakeDistribution(config, box).status().message().find("state"), std::string::npos);
}

TEST(Deviation, AStatesStaysWithinItsEndsAndFeelsTheWayBack) {
  v1::DistributionConfig config;
  config.set_std("state");
  const auto by_state = *MakeDistribution(config, ActionSpace::Box({-1}, {1}));
  for (const double far : {-1000.0, 1000.0}) {
    const double entropy = by_state->Evaluate(Row({0, far}), Row({0})).entropy.item<float>();
    EXPECT_NEAR(entropy - 0.5 * std::log(2 * M_PI * M_E), far < 0 ? -5 : 2, 1e-4);
  }
  at::Tensor inputs = Row({0, -15}).set_requires_grad(true);
  const at::Tensor entropy = by_state->Evaluate(inputs, Row({0})).entropy;
  EXPECT_GT(torch::autograd::grad({entropy.sum()}, {inputs})[0][0][1].item<float>(), 0);
  config.set_initial_log_std(2);
  EXPECT_NE(MakeDistribution(config, ActionSpace::Box({-1}, {1}))
                .status()
                .message()
                .find("between -5 and 2"),
            std::string::npos);
}

TEST(Beta, ShapesAreThoseOfItsTwoParameterisations) {
  // Beta(2, 3) on 0 … 1 has density 12 x (1 − x)²; Beta(α, β) is found at two points by its ratio.
  v1::DistributionConfig config;
  config.set_type("beta");
  const ActionSpace unit = ActionSpace::Box({0}, {1});
  const double two = std::log(std::expm1(1.0)), three = std::log(std::expm1(2.0));
  EXPECT_NEAR((*MakeDistribution(config, unit))
                  ->Evaluate(Row({two, three}), Row({0.3}))
                  .log_prob.item<float>(),
              std::log(12 * 0.3 * 0.7 * 0.7), 1e-5);
  config.set_type("beta-mean");
  const auto by_mean = *MakeDistribution(config, unit);
  const double v = std::log1p(std::exp(2.0));
  const double alpha = 0.5 + v, beta = 0.5 + v;
  EXPECT_NEAR(by_mean->Evaluate(Row({0}), Row({0.3})).log_prob.item<float>(),
              (alpha - 1) * std::log(0.3) + (beta - 1) * std::log(0.7) + std::lgamma(alpha + beta) -
                  std::lgamma(alpha) - std::lgamma(beta),
              1e-5);
}

TEST(MultiCategorical, SumsItsChoicesAndExportsTheirWidths) {
  const c10::NoGradGuard no_grad;
  const auto multi = Make(ActionSpace::MultiDiscrete(2, 3));
  ASSERT_EQ(multi->num_inputs(), 6);
  const at::Tensor logits = Row({0.2, 0.3, 0.5, 0.7, 0.2, 0.1}).log();
  const at::Tensor action = at::tensor({2, 0}).to(at::kLong).unsqueeze(0);
  const auto likelihood = multi->Evaluate(logits, action);
  EXPECT_NEAR(likelihood.log_prob.item<float>(), std::log(0.5) + std::log(0.7), 1e-5);
  double entropy = 0;
  for (const double p : {0.2, 0.3, 0.5, 0.7, 0.2, 0.1}) entropy -= p * std::log(p);
  EXPECT_NEAR(likelihood.entropy.item<float>(), entropy, 1e-5);
  EXPECT_TRUE(at::equal(multi->Mode(logits), action));
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor samples = multi->Sample(logits.expand({30000, 6}), generator);
  EXPECT_NEAR((samples.select(1, 1) == 0).to(at::kFloat).mean().item<float>(), 0.7, 0.01);
  v1::ActionHead head;
  ASSERT_TRUE(multi->Export(head).ok());
  EXPECT_EQ(head.parts_size(), 2);
}

TEST(MakeDistribution, RefusesWhatDoesNotFitTheEnv) {
  v1::DistributionConfig config;
  config.set_type("categorical");
  EXPECT_EQ(MakeDistribution(config, ActionSpace::Box({-1}, {1})).status().code(),
            absl::StatusCode::kInvalidArgument);
  config.set_type("multi-categorical");
  EXPECT_EQ(MakeDistribution(config, ActionSpace::Box({-1}, {1})).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const char* type : {"beta", "beta-mean", "tanh-gaussian"}) {
    config.set_type(type);
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_NE(MakeDistribution(config, ActionSpace::Box({-1}, {infinity}))
                  .status()
                  .message()
                  .find("has no end; gaussian fits"),
              std::string::npos);
    EXPECT_NE(MakeDistribution(config, ActionSpace::MultiDiscrete(3, 2))
                  .status()
                  .message()
                  .find("3 choices, each one of 2; multi-categorical fits"),
              std::string::npos);
  }
  config.set_type("gausian");
  EXPECT_NE(
      MakeDistribution(config, ActionSpace::Box({-1}, {1})).status().message().find("gaussian"),
      std::string::npos);
}

}  // namespace
}  // namespace hivewire
