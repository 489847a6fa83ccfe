// PPO's clipped objective (Schulman et al. 2017) and its gradient, written out: one pass over a
// minibatch on the CPU, so that autograd sees only the model and the distribution.
//
// A pure function.
#ifndef HIVEWIRE_POLICY_PPO_LOSS_H_
#define HIVEWIRE_POLICY_PPO_LOSS_H_

#include <vector>

#include "absl/types/span.h"

namespace hivewire {

struct PpoLossOptions {
  double clip = 0.2;
  bool clip_value = false;
  double value_coefficient = 0.5;
  double entropy_coefficient = 0;
  bool normalize_advantage = true;
};

// One element a sample.
struct PpoMinibatch {
  // By the present weights.
  absl::Span<const float> log_probs;
  absl::Span<const float> entropies;
  absl::Span<const float> values;
  // As collected.
  absl::Span<const float> old_log_probs;
  absl::Span<const float> old_values;
  absl::Span<const float> advantages;
  absl::Span<const float> returns;
};

// Means over the minibatch.
struct PpoLoss {
  double policy_loss = 0;
  double value_loss = 0;
  double entropy = 0;
  // E[−log r] and E[r − 1 − log r] (Schulman, "Approximating KL Divergence").
  double old_approx_kl = 0;
  double approx_kl = 0;
  // Share of the samples whose ratio lay outside 1 ± clip.
  double clip_fraction = 0;
};

// Of policy_loss + value_coefficient · value_loss − entropy_coefficient · entropy. The gradients by
// each log-probability and value go into the spans; that by each entropy is
// −entropy_coefficient / samples.
PpoLoss ComputePpoLoss(const PpoMinibatch& batch, const PpoLossOptions& options,
                       absl::Span<float> d_log_probs, absl::Span<float> d_values);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_LOSS_H_
