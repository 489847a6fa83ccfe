// What a PpoConfig may say.
#ifndef HIVEWIRE_POLICY_PPO_OPTIONS_H_
#define HIVEWIRE_POLICY_PPO_OPTIONS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"

namespace hivewire {

// INVALID_ARGUMENT names the first field of config.ppo() that is out of range, its value and what
// is accepted.
absl::Status CheckPpoConfig(const v1::LearnerConfig& config);

// RESOURCE_EXHAUSTED where the observations of a rollout of `problem` take more than
// max_rollout_bytes.
absl::Status CheckRolloutSize(const v1::PpoConfig& ppo, const Problem& problem);

// Columns of the flattened observation that the policy sees: those of leaves that are not the
// critic's alone; empty for all. INVALID_ARGUMENT for a leaf that there is not.
absl::StatusOr<std::vector<int64_t>> PolicyColumnsOf(const v1::ModelConfig& config,
                                                     const Problem& problem);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_OPTIONS_H_
