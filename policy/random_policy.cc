#include "policy/random_policy.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/layout.h"

namespace hivewire {
namespace {

std::string Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

bool Finite(const google::protobuf::RepeatedField<double>& bounds) {
  return !bounds.empty() && std::all_of(bounds.begin(), bounds.end(),
                                        [](double bound) { return std::isfinite(bound); });
}

}  // namespace

v1::Policy RandomPolicy(const v1::LeafSpec& action, int observation_dim) {
  const size_t elements = NumElements(action.shape());
  v1::Policy policy;
  v1::ActionHead& head = *policy.mutable_head();
  size_t outputs = elements;
  float bias = 0;
  if (action.cardinality() > 0) {
    outputs = elements * static_cast<size_t>(action.cardinality());
    head.set_kind(elements == 1 ? v1::ActionHead::KIND_CATEGORICAL
                                : v1::ActionHead::KIND_MULTI_CATEGORICAL);
    for (size_t k = 0; elements > 1 && k < elements; ++k) {
      head.add_parts(static_cast<uint32_t>(action.cardinality()));
    }
  } else if (Finite(action.low()) && Finite(action.high())) {
    // Beta(1, 1) is the uniform distribution; 1 + softplus(−100) is 1.
    head.set_kind(v1::ActionHead::KIND_BETA);
    outputs = 2 * elements;
    bias = -100;
  } else {
    head.set_kind(v1::ActionHead::KIND_GAUSSIAN);
    head.set_log_std(Bytes(std::vector<float>(elements, 0.0f)));
    head.set_clip_to_box(true);
  }
  v1::DenseLayer& layer = *policy.add_actor();
  layer.set_inputs(static_cast<uint32_t>(observation_dim));
  layer.set_outputs(static_cast<uint32_t>(outputs));
  layer.set_weight(Bytes(std::vector<float>(outputs * static_cast<size_t>(observation_dim), 0.0f)));
  layer.set_bias(Bytes(std::vector<float>(outputs, bias)));
  return policy;
}

}  // namespace hivewire
