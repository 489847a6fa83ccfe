#include "policy/ppo/loss.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hivewire {
namespace {

AdvantageScale ScaleOf(absl::Span<const float> advantages) {
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

PolicyLoss ComputePolicyLoss(const PolicySamples& samples, const PolicyLossOptions& options,
                             absl::Span<float> d_log_probs) {
  AdvantageScale scale;
  if (options.normalize_advantage) scale = options.scale.value_or(ScaleOf(samples.advantages));
  const size_t elements = samples.log_probs.size() / std::max<size_t>(1, samples.advantages.size());
  const double size = static_cast<double>(samples.advantages.size());
  const double ratios = static_cast<double>(samples.log_probs.size());
  PolicyLoss loss;
  for (const float entropy : samples.entropies) loss.entropy += entropy;
  for (size_t i = 0; i < samples.log_probs.size(); ++i) {
    const double advantage =
        (samples.advantages[i / elements] - scale.mean) * scale.inverse_deviation;
    const double log_ratio = static_cast<double>(samples.log_probs[i]) - samples.old_log_probs[i];
    const double ratio = std::exp(log_ratio);
    const double free = -advantage * ratio;
    const double clipped = -advantage * std::clamp(ratio, 1 - options.clip, 1 + options.clip);
    loss.surrogate += std::max(free, clipped);
    // Where the clipped branch is the larger, it is constant.
    const double d_surrogate = free >= clipped ? free : 0;
    d_log_probs[i] =
        static_cast<float>(d_surrogate / ratios + options.kl_coefficient * (ratio - 1) / size);
    loss.old_approx_kl -= log_ratio;
    loss.approx_kl += ratio - 1 - log_ratio;
    loss.clip_fraction += std::abs(ratio - 1) > options.clip;
  }
  for (double* mean : {&loss.surrogate, &loss.clip_fraction}) *mean /= ratios;
  for (double* mean : {&loss.entropy, &loss.old_approx_kl, &loss.approx_kl}) *mean /= size;
  return loss;
}

double ComputeValueLoss(const ValueSamples& samples, const ValueLossOptions& options,
                        absl::Span<float> d_values) {
  const double size = static_cast<double>(samples.values.size());
  double loss = 0;
  for (size_t i = 0; i < samples.values.size(); ++i) {
    const double value = samples.values[i];
    double error = value - samples.returns[i];
    double gradient = error;
    if (options.clip_value) {
      const double move = value - samples.old_values[i];
      const double clipped = samples.old_values[i] + std::clamp(move, -options.clip, options.clip) -
                             samples.returns[i];
      if (clipped * clipped > error * error) {
        error = clipped;
        gradient = 0;
      }
    }
    loss += 0.5 * error * error;
    d_values[i] = static_cast<float>(options.coefficient * gradient / size);
  }
  return loss / size;
}

}  // namespace hivewire
