#include "policy/portable/testing/random_policy.h"

#include <cmath>
#include <cstring>
#include <random>

namespace hivewire {
namespace {

class Weights {
 public:
  explicit Weights(uint32_t seed) : random_(seed) {}

  std::vector<float> Take(size_t count, double bound) {
    std::vector<float> values(count);
    for (float& value : values) {
      // Not a distribution of the library's, whose numbers its maker may change.
      value = static_cast<float>(bound * (2.0 * random_() / std::mt19937::max() - 1));
    }
    return values;
  }

 private:
  std::mt19937 random_;
};

void AddLayers(const RandomPolicyOptions& options, uint32_t outputs, Weights& weights,
               google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers) {
  uint32_t inputs = options.observation_dim;
  std::vector<uint32_t> widths = options.hidden;
  widths.push_back(outputs);
  for (size_t k = 0; k < widths.size(); ++k) {
    v1::DenseLayer& layer = *layers.Add();
    layer.set_inputs(inputs);
    layer.set_outputs(widths[k]);
    const double bound = options.scale * std::sqrt(3.0 / inputs);
    layer.set_weight(FloatBytes(weights.Take(size_t{inputs} * widths[k], bound)));
    layer.set_bias(FloatBytes(weights.Take(widths[k], 0.1)));
    if (k + 1 < widths.size()) layer.set_activation(options.activation);
    inputs = widths[k];
  }
}

// Puts a recurrent layer before the actor's last one.
void AddCell(v1::RecurrentLayer::Cell cell, double scale, Weights& weights, v1::Policy& policy) {
  *policy.add_after_recurrent() = policy.actor(policy.actor_size() - 1);
  policy.mutable_actor()->RemoveLast();
  v1::RecurrentLayer& layer = *policy.mutable_recurrent();
  const uint32_t width = policy.after_recurrent(0).inputs();
  const size_t gates = (cell == v1::RecurrentLayer::CELL_RNN   ? 1
                        : cell == v1::RecurrentLayer::CELL_GRU ? 3
                                                               : 4) *
                       size_t{width};
  const double bound = scale * std::sqrt(3.0 / width);
  layer.set_cell(cell);
  layer.set_inputs(width);
  layer.set_width(width);
  layer.set_weight_ih(FloatBytes(weights.Take(gates * width, bound)));
  layer.set_weight_hh(FloatBytes(weights.Take(gates * width, bound)));
  layer.set_bias_ih(FloatBytes(weights.Take(gates, 0.1)));
  layer.set_bias_hh(FloatBytes(weights.Take(gates, 0.1)));
}

}  // namespace

v1::Policy RandomPolicy(const RandomPolicyOptions& options,
                        const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action) {
  v1::Policy policy;
  policy.set_version(options.version);
  for (const std::string& leaf : options.leaves) policy.add_observation_leaves(leaf);
  *policy.mutable_action() = action;
  policy.mutable_head()->set_kind(options.head);
  uint32_t dim = 0;
  uint32_t choices = 0;
  for (const v1::LeafSpec& leaf : action) {
    uint32_t elements = 1;
    for (const int64_t extent : leaf.shape()) elements *= static_cast<uint32_t>(extent);
    dim += elements;
    choices += elements * static_cast<uint32_t>(leaf.cardinality());
    for (uint32_t k = 0; options.head == v1::ActionHead::KIND_MULTI_CATEGORICAL && k < elements;
         ++k)
      policy.mutable_head()->add_parts(static_cast<uint32_t>(leaf.cardinality()));
  }
  uint32_t outputs = 2 * dim;
  const bool gaussian = options.head == v1::ActionHead::KIND_GAUSSIAN ||
                        options.head == v1::ActionHead::KIND_TANH_GAUSSIAN;
  if (gaussian && options.free_log_std) {
    outputs = dim;
    policy.mutable_head()->set_log_std(FloatBytes(std::vector<float>(dim, -0.5f)));
  }
  if (options.head == v1::ActionHead::KIND_BETA && options.beta_spread) {
    outputs = dim;
    policy.mutable_head()->set_beta_spread(FloatBytes(std::vector<float>(dim, 0.8f)));
  }
  if (choices > 0) outputs = choices;
  Weights weights(options.seed);
  if (options.normalizer) {
    v1::Normalizer& normalizer = *policy.mutable_observation_normalizer();
    for (const float mean : weights.Take(options.observation_dim, 0.5)) normalizer.add_mean(mean);
    for (const float shift : weights.Take(options.observation_dim, 0.5))
      normalizer.add_variance(1 + shift);
    normalizer.set_epsilon(1e-8);
    normalizer.set_clip(10);
  }
  AddLayers(options, outputs, weights, *policy.mutable_actor());
  if (options.cell != v1::RecurrentLayer::CELL_UNSPECIFIED) {
    AddCell(options.cell, options.scale, weights, policy);
  }
  if (options.critic) AddLayers(options, 1, weights, *policy.mutable_critic());
  return policy;
}

std::string FloatBytes(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace hivewire
