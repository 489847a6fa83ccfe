// What training and evaluation have in common: the envs, and an algorithm made for them.
#ifndef HIVEWIRE_POLICY_SESSION_H_
#define HIVEWIRE_POLICY_SESSION_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "client/carrier.h"
#include "client/connection.h"
#include "client/vector_env.h"
#include "client/vector_rollout.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"
#include "policy/fragment_source.h"
#include "policy/transforms/observations.h"

namespace hivewire {

// How envs are reached. A carrier factory that is empty stands for gRPC's.
struct Reach {
  ConnectionOptions connection;
  CarrierFactory carriers;
  // collection.mode collectors: makes what listens for them. Empty where the program cannot.
  // `frames`: of the run until now.
  std::function<absl::StatusOr<std::unique_ptr<FragmentSource>>(const v1::LearnerConfig&,
                                                                int64_t frames)>
      collectors;
};

// `num_envs` lanes of the env that `config` names, with float32 observations and actions.
absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEnv(const v1::LearnerConfig& config, int num_envs,
                                                   const Reach& reach);

// At most `max_envs` lanes to evaluate in, and no more than `config` evaluates with. Their episodes
// are as long as the env has them, and they tell whether one was a success.
absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEvaluationEnv(const v1::LearnerConfig& config,
                                                             int max_envs, const Reach& reach);

// The lanes to train in, with the policy run by the servers.
absl::StatusOr<std::unique_ptr<VectorRollout>> MakeRollout(const v1::LearnerConfig& config,
                                                           const Reach& reach);

// What the algorithm sees of the lanes of a VectorEnv (through the transforms of `config`) or
// VectorRollout. UNIMPLEMENTED for actions that it cannot choose.
absl::StatusOr<Problem> MakeProblem(const VectorEnv& env, const v1::LearnerConfig& config);
absl::StatusOr<Problem> MakeProblem(const VectorRollout& rollout);
// The same of lanes that somebody else has, with actions as the env's own spec has them.
absl::StatusOr<Problem> MakeProblem(const v1::EnvSpec& spec, const v1::LearnerConfig& config);

// The env's observations as `config` has them transformed.
absl::StatusOr<std::unique_ptr<Observations>> MakeObservations(const VectorEnv& env,
                                                               const v1::LearnerConfig& config);

// The action leaf as the lanes take it.
v1::LeafSpec ActionLeaf(const VectorEnv& env);
v1::LeafSpec ActionLeaf(const VectorRollout& rollout);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_SESSION_H_
