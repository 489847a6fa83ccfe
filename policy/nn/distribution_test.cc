#include "policy/nn/distribution.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <string>
#include <vector>

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

TEST(MakeDistribution, RefusesWhatDoesNotFitTheEnv) {
  v1::DistributionConfig config;
  config.set_type("categorical");
  EXPECT_EQ(MakeDistribution(config, ActionSpace::Box({-1}, {1})).status().code(),
            absl::StatusCode::kInvalidArgument);
  config.set_type("gausian");
  EXPECT_NE(
      MakeDistribution(config, ActionSpace::Box({-1}, {1})).status().message().find("gaussian"),
      std::string::npos);
}

}  // namespace
}  // namespace hivewire
