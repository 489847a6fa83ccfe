// PPO's clipped objective (Schulman et al. 2017) and its gradient, written out: one pass over a
// minibatch on the CPU, so that autograd sees only the model and the distribution.
//
// Pure functions. Every span has one element a sample, but those of log-probabilities may have
// several, the elements of an action, together.
#ifndef HIVEWIRE_POLICY_PPO_LOSS_H_
#define HIVEWIRE_POLICY_PPO_LOSS_H_

#include <optional>

#include "absl/types/span.h"

namespace hivewire {

// (advantage − mean) · inverse_deviation is what is learned from.
struct AdvantageScale {
  double mean = 0;
  double inverse_deviation = 1;
};

struct PolicyLossOptions {
  double clip = 0.2;
  bool normalize_advantage = true;
  // By this, where the minibatch is a part of a larger one; else by its own mean and deviation.
  std::optional<AdvantageScale> scale = std::nullopt;
  // Of approx_kl in what is differentiated; the losses are returned without it.
  double kl_coefficient = 0;
};

struct PolicySamples {
  // By the present weights.
  absl::Span<const float> log_probs;
  absl::Span<const float> entropies;
  // As collected.
  absl::Span<const float> old_log_probs;
  absl::Span<const float> advantages;
};

// Means over the minibatch.
struct PolicyLoss {
  // Each ratio clipped by itself; over the elements of an action the mean too.
  double surrogate = 0;
  double entropy = 0;
  // E[−log r] and E[r − 1 − log r] (Schulman, "Approximating KL Divergence"); over elements, which
  // are independent, the sum.
  double old_approx_kl = 0;
  double approx_kl = 0;
  // Share of the ratios that lay outside 1 ± clip.
  double clip_fraction = 0;
};

// The gradient of surrogate + kl_coefficient · approx_kl by each log-probability goes into
// `d_log_probs`.
PolicyLoss ComputePolicyLoss(const PolicySamples& samples, const PolicyLossOptions& options,
                             absl::Span<float> d_log_probs);

struct ValueLossOptions {
  // Of the gradient; the loss is returned without it.
  double coefficient = 0.5;
  // Takes the larger of the error and the error after a step of at most `clip` from the old value.
  bool clip_value = false;
  double clip = 0.2;
};

struct ValueSamples {
  absl::Span<const float> values;
  absl::Span<const float> old_values;
  absl::Span<const float> returns;
};

// Half the mean squared error.
double ComputeValueLoss(const ValueSamples& samples, const ValueLossOptions& options,
                        absl::Span<float> d_values);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_LOSS_H_
