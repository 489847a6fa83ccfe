#include "policy/testing/plain_policy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace hivewire {
namespace {

float FloatAt(const std::string& bytes, size_t index) {
  float value;
  std::memcpy(&value, bytes.data() + index * sizeof(value), sizeof(value));
  return value;
}

double Activated(double x, v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_TANH:
      return std::tanh(x);
    case v1::ACTIVATION_RELU:
      return std::max(x, 0.0);
    case v1::ACTIVATION_ELU:
      return x > 0 ? x : std::expm1(x);
    default:
      return x;
  }
}

std::vector<double> Network(const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers,
                            absl::Span<const double> input) {
  std::vector<double> x(input.begin(), input.end());
  for (const v1::DenseLayer& layer : layers) {
    std::vector<double> y(layer.outputs());
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = FloatAt(layer.bias(), i);
      for (size_t k = 0; k < layer.inputs(); ++k) {
        y[i] += FloatAt(layer.weight(), i * layer.inputs() + k) * x[k];
      }
      y[i] = Activated(y[i], layer.activation());
    }
    x = std::move(y);
  }
  return x;
}

}  // namespace

std::vector<double> NormalizedByHand(const v1::Policy& policy,
                                     absl::Span<const float> observation) {
  const v1::Normalizer& normalizer = policy.observation_normalizer();
  std::vector<double> x(observation.begin(), observation.end());
  for (int i = 0; i < normalizer.mean_size(); ++i) {
    double& value = x[static_cast<size_t>(i)];
    value = (value - normalizer.mean(i)) / std::sqrt(normalizer.variance(i) + normalizer.epsilon());
    if (normalizer.clip() > 0) value = std::clamp(value, -normalizer.clip(), normalizer.clip());
  }
  return x;
}

std::vector<double> ActorByHand(const v1::Policy& policy, absl::Span<const double> normalized) {
  return Network(policy.actor(), normalized);
}

double ValueByHand(const v1::Policy& policy, absl::Span<const double> normalized) {
  return Network(policy.critic(), normalized)[0];
}

double LogProbByHand(const v1::Policy& policy, absl::Span<const double> outputs,
                     absl::Span<const float> action) {
  if (policy.head().kind() == v1::ActionHead::KIND_CATEGORICAL) {
    double sum = 0;
    for (const double logit : outputs) sum += std::exp(logit);
    return outputs[static_cast<size_t>(action[0])] - std::log(sum);
  }
  double log_prob = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const double log_std = FloatAt(policy.head().log_std(), i);
    const double z = (action[i] - outputs[i]) / std::exp(log_std);
    log_prob -= 0.5 * z * z + log_std + 0.5 * std::log(2 * M_PI);
  }
  return log_prob;
}

}  // namespace hivewire
