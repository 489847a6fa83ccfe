#include "policy/ppo/loss.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hivewire {
namespace {

struct Scaling {
  double mean = 0;
  double inverse_deviation = 1;
};

Scaling AdvantageScaling(absl::Span<const float> advantages) {
  const double size = static_cast<double>(advantages.size());
  if (advantages.size() < 2) return {};
  double sum = 0;
  for (const float advantage : advantages) sum += advantage;
  const double mean = sum / size;
  double squares = 0;
  for (const float advantage : advantages) squares += (advantage - mean) * (advantage - mean);
  return {mean, 1.0 / (std::sqrt(squares / (size - 1)) + 1e-8)};
}

}  // namespace

PpoLoss ComputePpoLoss(const PpoMinibatch& batch, const PpoLossOptions& options,
                       absl::Span<float> d_log_probs, absl::Span<float> d_values) {
  const Scaling scaling =
      options.normalize_advantage ? AdvantageScaling(batch.advantages) : Scaling();
  const double size = static_cast<double>(batch.log_probs.size());
  PpoLoss loss;
  for (size_t i = 0; i < batch.log_probs.size(); ++i) {
    const double advantage = (batch.advantages[i] - scaling.mean) * scaling.inverse_deviation;
    const double log_ratio = static_cast<double>(batch.log_probs[i]) - batch.old_log_probs[i];
    const double ratio = std::exp(log_ratio);
    const double free = -advantage * ratio;
    const double clipped = -advantage * std::clamp(ratio, 1 - options.clip, 1 + options.clip);
    loss.policy_loss += std::max(free, clipped);
    // Where the clipped branch is the larger, it is constant.
    d_log_probs[i] = free >= clipped ? static_cast<float>(free / size) : 0.0f;

    const double error = static_cast<double>(batch.values[i]) - batch.returns[i];
    double half_square = 0.5 * error * error;
    double d_value = error;
    if (options.clip_value) {
      const double move = static_cast<double>(batch.values[i]) - batch.old_values[i];
      const double clipped_error =
          batch.old_values[i] + std::clamp(move, -options.clip, options.clip) - batch.returns[i];
      if (0.5 * clipped_error * clipped_error > half_square) {
        half_square = 0.5 * clipped_error * clipped_error;
        d_value = 0;
      }
    }
    loss.value_loss += half_square;
    d_values[i] = static_cast<float>(options.value_coefficient * d_value / size);

    loss.entropy += batch.entropies[i];
    loss.old_approx_kl -= log_ratio;
    loss.approx_kl += ratio - 1 - log_ratio;
    loss.clip_fraction += std::abs(ratio - 1) > options.clip;
  }
  for (double* mean : {&loss.policy_loss, &loss.value_loss, &loss.entropy, &loss.old_approx_kl,
                       &loss.approx_kl, &loss.clip_fraction}) {
    *mean /= size;
  }
  return loss;
}

}  // namespace hivewire
