// Policies with random weights, for tests and benches.
#ifndef HIVEWIRE_POLICY_PORTABLE_TESTING_RANDOM_POLICY_H_
#define HIVEWIRE_POLICY_PORTABLE_TESTING_RANDOM_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hivewire/v1/policy.pb.h"

namespace hivewire {

struct RandomPolicyOptions {
  uint64_t version = 1;
  std::vector<std::string> leaves = {"observation"};
  uint32_t observation_dim = 0;
  std::vector<uint32_t> hidden = {64, 64};
  v1::Activation activation = v1::ACTIVATION_TANH;
  v1::ActionHead::Kind head = v1::ActionHead::KIND_GAUSSIAN;
  // Both Gaussians: −0.5 for each element; without it the network gives it.
  bool free_log_std = true;
  // Beta: 0.8 for each element; without it the network gives both shapes.
  bool beta_spread = false;
  // Before the last layer, as wide as the one before it.
  v1::RecurrentLayer::Cell cell = v1::RecurrentLayer::CELL_UNSPECIFIED;
  bool critic = true;
  bool normalizer = true;
  // Weights are uniform in ± scale · √(3 / inputs).
  double scale = 1;
  uint32_t seed = 1;
};

v1::Policy RandomPolicy(const RandomPolicyOptions& options,
                        const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action);

// `count` float32 as bytes.
std::string FloatBytes(const std::vector<float>& values);
std::vector<float> FloatsOf(const std::string& bytes);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_TESTING_RANDOM_POLICY_H_
