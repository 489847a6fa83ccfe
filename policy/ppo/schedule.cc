#include "policy/ppo/schedule.h"

#include <algorithm>

namespace hivewire {
namespace {

// RSL-RL's and rl_games' rule: outside half to twice the target, by this factor.
constexpr double kAdaption = 1.5;

}  // namespace

LearningRate::LearningRate(const v1::PpoConfig& config)
    : config_(config), kept_(config.learning_rate()), value_(config.learning_rate()) {}

void LearningRate::BeginUpdate(double progress) {
  const std::string& schedule = config_.learning_rate_schedule();
  if (schedule == "linear") {
    value_ = config_.learning_rate() * (1 - progress);
  } else if (schedule == "constant") {
    value_ = config_.learning_rate();
  } else {
    value_ = kept_;
    if (schedule == "exponential") kept_ *= config_.learning_rate_decay();
  }
}

void LearningRate::Observe(double approx_kl) {
  if (config_.learning_rate_schedule() != "kl-adaptive") return;
  if (approx_kl > 2 * config_.kl_target()) value_ /= kAdaption;
  if (approx_kl < 0.5 * config_.kl_target()) value_ *= kAdaption;
  value_ = std::clamp(value_, config_.min_learning_rate(), config_.max_learning_rate());
  kept_ = value_;
}

void LearningRate::Save(const std::string& name, TensorMap& tensors) const {
  tensors.PutDoubles(name, {&kept_, 1});
}

absl::Status LearningRate::Load(const std::string& name, const TensorMap& tensors) {
  if (!tensors.contains(name)) return absl::OkStatus();
  return tensors.GetDoubles(name, {&kept_, 1});
}

double EntropyCoefficient(const v1::PpoConfig& config, double progress) {
  if (config.entropy_schedule() != "linear") return config.entropy_coefficient();
  return config.entropy_coefficient() +
         progress * (config.final_entropy_coefficient() - config.entropy_coefficient());
}

}  // namespace hivewire
