// Proximal policy optimisation, with a clipped objective (Schulman et al. 2017).
//
// What it learns from is one rollout: rollout_steps steps of every lane. Values and
// log-probabilities of the whole rollout are computed at once when it is complete, so that Act runs
// the policy alone.
#ifndef HIVEWIRE_POLICY_PPO_PPO_H_
#define HIVEWIRE_POLICY_PPO_PPO_H_

#include <memory>

#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Algorithm>> MakePpo(const v1::LearnerConfig& config,
                                                   const Problem& problem);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_PPO_H_
