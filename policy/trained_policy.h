// A policy out of a checkpoint, and envs for it to act in.
#ifndef HIVEWIRE_POLICY_TRAINED_POLICY_H_
#define HIVEWIRE_POLICY_TRAINED_POLICY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/vector_env.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/normalizer.h"
#include "policy/session.h"

namespace hivewire {

struct TrainedPolicy {
  v1::LearnerConfig config;
  // Of training, at the checkpoint.
  int64_t frames = 0;
  std::unique_ptr<VectorEnv> env;
  // Of `env`.
  std::unique_ptr<Observations> observations;
  ActionSpace action;
  std::unique_ptr<Algorithm> algorithm;
  // Null where observations are not normalised.
  std::unique_ptr<ObservationNormalizer> normalizer;
};

// The run's own configuration with `overrides` ("path=value") over it.
absl::StatusOr<v1::LearnerConfig> OverriddenConfig(const Checkpoint& checkpoint,
                                                   const std::vector<std::string>& overrides);

// Of the checkpoint at `path`, with at most `max_envs` lanes, and no more than the configuration
// evaluates with.
absl::StatusOr<TrainedPolicy> LoadTrainedPolicy(const std::string& path,
                                                const std::vector<std::string>& overrides,
                                                int max_envs, const Reach& reach);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRAINED_POLICY_H_
