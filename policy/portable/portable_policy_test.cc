#include "policy/portable/portable_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "absl/strings/match.h"
#include "base/error.h"
#include "policy/portable/testing/random_policy.h"

namespace hivewire {
namespace {

using Leaves = google::protobuf::RepeatedPtrField<v1::LeafSpec>;

Leaves Box(int64_t dim, double low, double high) {
  Leaves leaves;
  v1::LeafSpec& leaf = *leaves.Add();
  leaf.set_name("action");
  leaf.set_dtype(v1::DTYPE_FLOAT32);
  leaf.add_shape(dim);
  leaf.add_low(low);
  leaf.add_high(high);
  return leaves;
}

Leaves Choices(int64_t elements, int64_t cardinality, int64_t start = 0) {
  Leaves leaves;
  v1::LeafSpec& leaf = *leaves.Add();
  leaf.set_name("action");
  leaf.set_dtype(v1::DTYPE_INT64);
  if (elements > 1) leaf.add_shape(elements);
  leaf.set_cardinality(cardinality);
  leaf.set_start(start);
  return leaves;
}

// A policy whose outputs are its bias, whatever it sees.
v1::Policy Constant(v1::ActionHead::Kind head, const std::vector<float>& outputs,
                    const Leaves& action) {
  v1::Policy policy;
  policy.add_observation_leaves("observation");
  *policy.mutable_action() = action;
  policy.mutable_head()->set_kind(head);
  if (head == v1::ActionHead::KIND_MULTI_CATEGORICAL) {
    for (const v1::LeafSpec& leaf : action) {
      for (int64_t k = 0; k < leaf.shape(0); ++k)
        policy.mutable_head()->add_parts(static_cast<uint32_t>(leaf.cardinality()));
    }
  }
  v1::DenseLayer& layer = *policy.add_actor();
  layer.set_inputs(1);
  layer.set_outputs(static_cast<uint32_t>(outputs.size()));
  layer.set_weight(FloatBytes(std::vector<float>(outputs.size(), 0)));
  layer.set_bias(FloatBytes(outputs));
  return policy;
}

struct Sample {
  std::vector<double> chosen, sent;
  float log_prob;
};

std::vector<Sample> Draws(const v1::Policy& proto, uint64_t count, bool deterministic = false) {
  const auto policy = PortablePolicy::Create(proto);
  EXPECT_TRUE(policy.ok()) << policy.status();
  PolicyScratch scratch;
  (*policy)->Reserve(1, scratch);
  std::vector<Sample> samples;
  for (uint64_t step = 0; step < count; ++step) {
    std::fill(scratch.observations.begin(), scratch.observations.end(), 0.0f);
    (*policy)->Act({Draw{9, 1, step}}, deterministic, scratch);
    samples.push_back({scratch.chosen, scratch.sent, scratch.log_probs[0]});
  }
  return samples;
}

// The distance between the distribution of element `k` and a density on [low, high], whose integral
// is taken by the trapezoidal rule.
double KolmogorovSmirnov(const std::vector<Sample>& samples, size_t k, double low, double high,
                         const std::function<double(double)>& density) {
  std::vector<double> sorted;
  for (const Sample& sample : samples) sorted.push_back(sample.chosen[k]);
  std::sort(sorted.begin(), sorted.end());
  constexpr int kCells = 20000;
  double integral = 0;
  double distance = 0;
  size_t below = 0;
  const double width = (high - low) / kCells;
  for (int cell = 0; cell < kCells; ++cell) {
    const double end = low + (cell + 1) * width;
    integral += width * density(end - width / 2);
    while (below < sorted.size() && sorted[below] <= end) ++below;
    distance = std::max(distance, std::abs(integral - static_cast<double>(below) /
                                                          static_cast<double>(sorted.size())));
  }
  EXPECT_NEAR(integral, 1, 2e-3);
  return distance;
}

constexpr uint64_t kSamples = 40000;
// The 0.1 % quantile, and what the sum above may be off.
const double kDistance = 1.95 / std::sqrt(kSamples) + 2e-3;

double NormalDensity(double x, double mean, double std) {
  return std::exp(-0.5 * (x - mean) * (x - mean) / (std * std)) / (std * std::sqrt(2 * M_PI));
}

TEST(GaussianHead, SamplesAndWeighsByItsDensity) {
  v1::Policy policy =
      Constant(v1::ActionHead::KIND_GAUSSIAN, {0.5f, -1, -0.7f, 0.4f}, Box(2, -1, 1));
  const double std[] = {std::exp(-0.7), std::exp(0.4)};
  const double mean[] = {0.5, -1};
  const std::vector<Sample> samples = Draws(policy, kSamples);
  for (const size_t k : {0, 1}) {
    EXPECT_LT(KolmogorovSmirnov(samples, k, mean[k] - 6 * std[k], mean[k] + 6 * std[k],
                                [&](double x) { return NormalDensity(x, mean[k], std[k]); }),
              kDistance);
  }
  for (size_t n = 0; n < 100; ++n) {
    const double density = NormalDensity(samples[n].chosen[0], mean[0], std[0]) *
                           NormalDensity(samples[n].chosen[1], mean[1], std[1]);
    EXPECT_NEAR(samples[n].log_prob, std::log(density), 1e-5);
    EXPECT_EQ(samples[n].sent, samples[n].chosen);
  }
  const Sample mode = Draws(policy, 1, /*deterministic=*/true)[0];
  EXPECT_EQ(mode.chosen, (std::vector<double>{0.5, -1}));
}

TEST(GaussianHead, ClipsOnlyWhatIsSent) {
  v1::Policy policy = Constant(v1::ActionHead::KIND_GAUSSIAN, {0}, Box(1, -0.5, 0.25));
  policy.mutable_head()->set_log_std(FloatBytes({0}));
  policy.mutable_head()->set_clip_to_box(true);
  int clipped = 0;
  for (const Sample& sample : Draws(policy, 1000)) {
    EXPECT_EQ(sample.sent[0], std::clamp(sample.chosen[0], -0.5, 0.25));
    EXPECT_NEAR(sample.log_prob, std::log(NormalDensity(sample.chosen[0], 0, 1)), 1e-5);
    clipped += sample.sent != sample.chosen;
  }
  EXPECT_GT(clipped, 500);
}

TEST(TanhGaussianHead, SamplesAndWeighsByItsDensityOnTheBox) {
  const double low = -2, high = 6, mean = 0.3, std = std::exp(-0.2);
  v1::Policy policy =
      Constant(v1::ActionHead::KIND_TANH_GAUSSIAN, {0.3f, -0.2f}, Box(1, low, high));
  const auto density = [&](double action) {
    const double y = (action - low) / (high - low) * 2 - 1;
    return NormalDensity(std::atanh(y), mean, std) / (1 - y * y) / ((high - low) / 2);
  };
  const std::vector<Sample> samples = Draws(policy, kSamples);
  EXPECT_LT(KolmogorovSmirnov(samples, 0, low, high, density), kDistance);
  for (size_t n = 0; n < 100; ++n)
    EXPECT_NEAR(samples[n].log_prob, std::log(density(samples[n].chosen[0])), 1e-4);
  EXPECT_NEAR(Draws(policy, 1, true)[0].chosen[0], 2 + 4 * std::tanh(0.3), 1e-5);
}

TEST(TanhGaussianHead, StaysFiniteWhereTanhIsOneToTheLastBit) {
  v1::Policy policy = Constant(v1::ActionHead::KIND_TANH_GAUSSIAN, {300, 0}, Box(1, -1, 1));
  const Sample sample = Draws(policy, 1)[0];
  EXPECT_EQ(sample.chosen[0], 1);
  EXPECT_TRUE(std::isfinite(sample.log_prob));
}

TEST(BetaHead, SamplesAndWeighsByItsDensityOnTheBox) {
  const double low = -1, high = 3;
  for (const auto& [a, b] :
       {std::pair(0.0f, 0.0f), std::pair(3.0f, -2.0f), std::pair(20.0f, 8.0f)}) {
    v1::Policy policy = Constant(v1::ActionHead::KIND_BETA, {a, b}, Box(1, low, high));
    const double alpha = 1 + std::log1p(std::exp(a)), beta = 1 + std::log1p(std::exp(b));
    const auto log_density = [&, alpha, beta](double action) {
      const double x = (action - low) / (high - low);
      return (alpha - 1) * std::log(x) + (beta - 1) * std::log1p(-x) + std::lgamma(alpha + beta) -
             std::lgamma(alpha) - std::lgamma(beta) - std::log(high - low);
    };
    const std::vector<Sample> samples = Draws(policy, kSamples);
    EXPECT_LT(KolmogorovSmirnov(samples, 0, low, high,
                                [&](double action) { return std::exp(log_density(action)); }),
              kDistance);
    for (size_t n = 0; n < 100; ++n)
      EXPECT_NEAR(samples[n].log_prob, log_density(samples[n].chosen[0]), 1e-4);
    EXPECT_NEAR(Draws(policy, 1, true)[0].chosen[0],
                low + (high - low) * (alpha - 1) / (alpha + beta - 2), 1e-5);
  }
}

TEST(BetaHead, SamplesAndWeighsByItsMeanAndSpread) {
  const double low = -1, high = 3;
  for (const auto& [logit, spread] :
       {std::pair(0.0f, 0.3f), std::pair(1.5f, 0.1f), std::pair(-0.4f, 5.0f)}) {
    v1::Policy policy = Constant(v1::ActionHead::KIND_BETA, {logit}, Box(1, low, high));
    policy.mutable_head()->set_beta_spread(FloatBytes({spread}));
    const double mean = 1 / (1 + std::exp(-logit));
    const double alpha = mean + spread, beta = 1 - mean + spread;
    const std::vector<Sample> samples = Draws(policy, kSamples);
    double total = 0;
    for (size_t n = 0; n < samples.size(); ++n) {
      const double x = (samples[n].chosen[0] - low) / (high - low);
      total += x;
      // Close to an end float32 does not know how close.
      if (n >= 100 || x < 1e-3 || x > 1 - 1e-3) continue;
      EXPECT_NEAR(samples[n].log_prob,
                  (alpha - 1) * std::log(x) + (beta - 1) * std::log1p(-x) +
                      std::lgamma(alpha + beta) - std::lgamma(alpha) - std::lgamma(beta) -
                      std::log(high - low),
                  1e-3);
    }
    const double deviation =
        std::sqrt(alpha * beta / (alpha + beta + 1)) / (alpha + beta) / std::sqrt(kSamples);
    EXPECT_NEAR(total / kSamples, alpha / (alpha + beta), 4 * deviation);
    const bool peaked = alpha > 1 && beta > 1;
    EXPECT_NEAR(
        Draws(policy, 1, true)[0].chosen[0],
        low + (high - low) * (peaked ? (alpha - 1) / (alpha + beta - 2) : alpha / (alpha + beta)),
        1e-5);
  }
}

TEST(CategoricalHead, SamplesAndWeighsByItsProbabilities) {
  const std::vector<float> logits = {0, 1, -2, 0.5f};
  v1::Policy policy = Constant(v1::ActionHead::KIND_CATEGORICAL, logits, Choices(1, 4, -1));
  double total = 0;
  for (const float logit : logits) total += std::exp(logit);
  std::vector<double> counts(4);
  for (const Sample& sample : Draws(policy, kSamples)) {
    const size_t choice = static_cast<size_t>(sample.chosen[0] + 1);
    ASSERT_LT(choice, 4u);
    EXPECT_NEAR(sample.log_prob, logits[choice] - std::log(total), 1e-6);
    ++counts[choice];
  }
  double chi_squared = 0;
  for (size_t k = 0; k < 4; ++k) {
    const double expected = kSamples * std::exp(logits[k]) / total;
    chi_squared += (counts[k] - expected) * (counts[k] - expected) / expected;
  }
  EXPECT_LT(chi_squared, 16.3);  // the 0.1 % quantile for 3 degrees of freedom
  EXPECT_EQ(Draws(policy, 1, true)[0].chosen[0], 0);
}

TEST(CategoricalHead, NeverChoosesWhatHasNoWeight) {
  const std::vector<float> logits = {-200, 0, -200};
  for (const Sample& sample :
       Draws(Constant(v1::ActionHead::KIND_CATEGORICAL, logits, Choices(1, 3)), 1000))
    EXPECT_EQ(sample.chosen[0], 1);
}

TEST(MultiCategoricalHead, ChoosesEachPartByItself) {
  v1::Policy policy =
      Constant(v1::ActionHead::KIND_MULTI_CATEGORICAL, {0, 2, 1, 0, 0, 0}, Choices(2, 3));
  int both[3][3] = {};
  for (const Sample& sample : Draws(policy, kSamples))
    ++both[static_cast<int>(sample.chosen[0])][static_cast<int>(sample.chosen[1])];
  const double weights[] = {1, std::exp(2.0), std::exp(1.0)};
  const double total = weights[0] + weights[1] + weights[2];
  double chi_squared = 0;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const double expected = kSamples * weights[i] / total / 3;
      chi_squared += (both[i][j] - expected) * (both[i][j] - expected) / expected;
    }
  }
  EXPECT_LT(chi_squared, 26.1);  // the 0.1 % quantile for 8 degrees of freedom
  const Sample mode = Draws(policy, 1, true)[0];
  EXPECT_EQ(mode.chosen, (std::vector<double>{1, 0}));
  EXPECT_NEAR(mode.log_prob, 2 - std::log(total) - std::log(3.0), 1e-6);
}

TEST(PortablePolicy, GivesARowTheSameResultInEveryCompany) {
  const v1::Policy proto = RandomPolicy({.observation_dim = 11}, Box(3, -1, 1));
  const auto policy = *PortablePolicy::Create(proto);
  constexpr size_t kRows = 21;
  PolicyScratch together, alone;
  policy->Reserve(kRows, together);
  policy->Reserve(1, alone);
  std::vector<Draw> draws;
  std::vector<float> observations;
  for (size_t row = 0; row < kRows; ++row) draws.push_back({3, static_cast<uint32_t>(row), 8});
  for (size_t k = 0; k < kRows * 11; ++k)
    observations.push_back(static_cast<float>(std::cos(0.3 * k)));
  std::copy(observations.begin(), observations.end(), together.observations.begin());
  policy->Act(draws, false, together);
  for (size_t row = 0; row < kRows; ++row) {
    std::copy_n(observations.begin() + static_cast<ptrdiff_t>(row * 11), 11,
                alone.observations.begin());
    policy->Act({draws[row]}, false, alone);
    EXPECT_EQ(together.log_probs[row], alone.log_probs[0]);
    EXPECT_EQ(together.values[row], alone.values[0]);
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(together.chosen[row * 3 + k], alone.chosen[k]);
  }
}

TEST(PortablePolicy, NormalisesWhatItSees) {
  v1::Policy proto = Constant(v1::ActionHead::KIND_GAUSSIAN, {0}, Box(1, -1, 1));
  proto.mutable_head()->set_log_std(FloatBytes({0}));
  proto.mutable_actor(0)->set_weight(FloatBytes({1}));
  proto.mutable_observation_normalizer()->add_mean(3);
  proto.mutable_observation_normalizer()->add_variance(4);
  proto.mutable_observation_normalizer()->set_clip(2);
  const auto policy = *PortablePolicy::Create(proto);
  PolicyScratch scratch;
  policy->Reserve(1, scratch);
  for (const auto& [seen, expected] :
       {std::pair(4.0f, 0.5), std::pair(100.0f, 2.0), std::pair(-9.0f, -2.0)}) {
    scratch.observations[0] = seen;
    policy->Act({Draw{}}, /*deterministic=*/true, scratch);
    EXPECT_EQ(scratch.chosen[0], expected);
  }
  scratch.observations[0] = std::numeric_limits<float>::quiet_NaN();
  policy->Act({Draw{}}, /*deterministic=*/true, scratch);
  EXPECT_FALSE(policy->AllFinite(0, scratch));
}

TEST(PortablePolicy, RefusesAMemoryThatNobodyKeepsOrThatDoesNotFit) {
  const v1::Policy good =
      RandomPolicy({.observation_dim = 5, .cell = v1::RecurrentLayer::CELL_LSTM}, Box(2, -1, 1));
  EXPECT_EQ(FieldOf(PortablePolicy::Create(good).status()), "recurrent");
  const auto status_of = [&](const std::function<void(v1::Policy&)>& change) {
    v1::Policy policy = good;
    change(policy);
    return PortablePolicy::Create(policy, {.may_remember = true}).status();
  };
  EXPECT_TRUE(status_of([](v1::Policy&) {}).ok());
  const auto refused = [&](const std::string& field,
                           const std::function<void(v1::Policy&)>& change) {
    EXPECT_EQ(FieldOf(status_of(change)), field) << status_of(change);
  };
  refused("recurrent.cell", [](v1::Policy& p) { p.mutable_recurrent()->clear_cell(); });
  refused("recurrent.inputs", [](v1::Policy& p) { p.mutable_recurrent()->set_inputs(63); });
  refused("recurrent.width", [](v1::Policy& p) { p.mutable_recurrent()->set_width(0); });
  refused("recurrent.weight_hh",
          [](v1::Policy& p) { p.mutable_recurrent()->mutable_weight_hh()->pop_back(); });
  refused("recurrent.bias_ih", [](v1::Policy& p) { p.mutable_recurrent()->clear_bias_ih(); });
  refused("after_recurrent[0].inputs",
          [](v1::Policy& p) { *p.mutable_after_recurrent(0) = p.actor(0); });
  refused("after_recurrent[0].inputs", [](v1::Policy& p) { p.clear_recurrent(); });
}

TEST(PortablePolicy, RefusesWhatIsWrongAndNamesIt) {
  const v1::Policy good = RandomPolicy({.observation_dim = 5}, Box(2, -1, 1));
  ASSERT_TRUE(PortablePolicy::Create(good).ok());
  struct Case {
    std::function<void(v1::Policy&)> change;
    const char* field;
    const char* text;
    v1::ErrorReason reason = v1::ERROR_REASON_BAD_POLICY;
  };
  const std::string nan = FloatBytes({std::numeric_limits<float>::quiet_NaN()});
  const Case cases[] = {
      {[](v1::Policy& p) { p.clear_actor(); }, "actor", "give at least 1"},
      {[](v1::Policy& p) { p.mutable_actor(1)->set_inputs(63); }, "actor[1].inputs",
       "the layer before has 64"},
      {[](v1::Policy& p) { p.mutable_actor(0)->set_inputs(0); }, "actor[0].inputs", "at least 1"},
      {[](v1::Policy& p) { p.mutable_actor(0)->set_outputs(9000); }, "actor[0].outputs",
       "more than this server's 8192", v1::ERROR_REASON_LIMIT},
      {[](v1::Policy& p) { p.mutable_actor(0)->mutable_weight()->pop_back(); }, "actor[0].weight",
       "bytes where 320 float32 need 1280"},
      {[&](v1::Policy& p) { p.mutable_actor(2)->mutable_bias()->replace(4, 4, nan); },
       "actor[2].bias[1]", "not finite"},
      {[&](v1::Policy& p) { p.mutable_critic(0)->mutable_weight()->replace(0, 4, nan); },
       "critic[0].weight[0]", "not finite"},
      {[](v1::Policy& p) { p.mutable_actor(0)->set_activation(static_cast<v1::Activation>(9)); },
       "actor[0].activation", "elu (3)"},
      {[](v1::Policy& p) {
         for (int k = 0; k < 15; ++k) *p.add_actor() = p.actor(1);
       },
       "actor", "18 layers where this server takes 16", v1::ERROR_REASON_LIMIT},
      {[](v1::Policy& p) { *p.mutable_critic(2) = p.actor(2); }, "critic[2].outputs", "1 number"},
      {[](v1::Policy& p) { p.mutable_critic()->DeleteSubrange(0, 1); }, "critic[0].inputs",
       "where actor[0] has 5"},
      {[](v1::Policy& p) { p.clear_observation_leaves(); }, "observation_leaves", "name what"},
      {[](v1::Policy& p) { p.add_observation_leaves("observation"); }, "observation_leaves",
       "twice"},
      {[](v1::Policy& p) { p.mutable_observation_normalizer()->add_mean(0); },
       "observation_normalizer.mean", "6 numbers where actor[0] has 5"},
      {[](v1::Policy& p) { p.mutable_observation_normalizer()->set_variance(1, -1); },
       "observation_normalizer, element 1", "nothing to normalise by"},
      {[](v1::Policy& p) { p.mutable_observation_normalizer()->set_clip(-1); },
       "observation_normalizer.clip", "neither 0"},
      {[](v1::Policy& p) { p.mutable_head()->set_kind(v1::ActionHead::KIND_UNSPECIFIED); },
       "head.kind", "none of gaussian (1)"},
      {[](v1::Policy& p) { p.mutable_head()->set_kind(v1::ActionHead::KIND_CATEGORICAL); },
       "head.kind", "is for choices"},
      {[](v1::Policy& p) { p.mutable_head()->clear_log_std(); }, "actor", "needs 4 (2 for each"},
      {[](v1::Policy& p) { p.mutable_head()->set_log_std(FloatBytes({0})); }, "head.log_std",
       "2 float32 need 8"},
      {[](v1::Policy& p) {
         p.mutable_head()->set_log_std(FloatBytes({0, 200}));
       },
       "head.log_std", "no logarithm"},
      {[](v1::Policy& p) { p.clear_action(); }, "action", "name what the policy acts on"},
      {[](v1::Policy& p) { p.mutable_action(0)->set_shape(0, -2); }, "action[0].shape", "elements"},
      {[](v1::Policy& p) { p.mutable_action(0)->set_low(0, 2); }, "action[0]", "no interval"},
      {[](v1::Policy& p) {
         p.mutable_head()->set_kind(v1::ActionHead::KIND_TANH_GAUSSIAN);
         p.mutable_action(0)->clear_high();
       },
       "action[0]", "no finite interval"},
  };
  for (const Case& bad : cases) {
    v1::Policy policy = good;
    bad.change(policy);
    const absl::Status status = PortablePolicy::Create(policy).status();
    EXPECT_EQ(ReasonOf(status), bad.reason) << status;
    EXPECT_EQ(FieldOf(status), bad.field) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), bad.text)) << status;
  }
  v1::Policy parts = Constant(v1::ActionHead::KIND_MULTI_CATEGORICAL, {0, 0, 0, 0}, Choices(2, 2));
  parts.mutable_head()->set_parts(1, 3);
  EXPECT_EQ(FieldOf(PortablePolicy::Create(parts).status()), "head.parts");
  for (const auto kind : {v1::ActionHead::KIND_BETA, v1::ActionHead::KIND_GAUSSIAN}) {
    v1::Policy squashed = Constant(kind, {0, 0}, Box(1, -1, 1));
    squashed.mutable_head()->mutable_state_log_std()->set_low(-1);
    squashed.mutable_head()->mutable_state_log_std()->set_high(
        kind == v1::ActionHead::KIND_BETA ? 1 : -1);
    EXPECT_EQ(FieldOf(PortablePolicy::Create(squashed).status()), "head.state_log_std");
  }
}

}  // namespace
}  // namespace hivewire
