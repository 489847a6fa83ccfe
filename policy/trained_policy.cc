#include "policy/trained_policy.h"

#include <utility>

#include "base/error.h"
#include "policy/collector_state.h"
#include "policy/config/config.h"
#include "policy/config/overrides.h"

namespace hivewire {

absl::StatusOr<v1::LearnerConfig> OverriddenConfig(const Checkpoint& checkpoint,
                                                   const std::vector<std::string>& overrides) {
  v1::LearnerConfig config = checkpoint.state.config();
  for (const std::string& assignment : overrides) {
    absl::Status status = ApplyOverride(assignment, config);
    if (!status.ok()) return Annotate(status, "--set " + assignment);
  }
  if (absl::Status status = ValidateConfig(config); !status.ok()) return status;
  return config;
}

absl::StatusOr<TrainedPolicy> LoadTrainedPolicy(const std::string& path,
                                                const std::vector<std::string>& overrides,
                                                int max_envs, const Reach& reach) {
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(path);
  if (!checkpoint.ok()) return checkpoint.status();
  absl::StatusOr<v1::LearnerConfig> config = OverriddenConfig(*checkpoint, overrides);
  if (!config.ok()) return config.status();
  TrainedPolicy policy;
  policy.config = *std::move(config);
  policy.frames = checkpoint->state.frames();

  absl::StatusOr<std::unique_ptr<VectorEnv>> env =
      MakeEvaluationEnv(policy.config, max_envs, reach);
  if (!env.ok()) return env.status();
  policy.env = *std::move(env);
  absl::StatusOr<Problem> problem = MakeProblem(*policy.env, policy.config);
  if (!problem.ok()) return problem.status();
  policy.action = problem->action;
  auto observations = MakeObservations(*policy.env, policy.config);
  if (!observations.ok()) return observations.status();
  policy.observations = *std::move(observations);
  absl::StatusOr<std::unique_ptr<Algorithm>> algorithm = MakeAlgorithm(policy.config, *problem);
  if (!algorithm.ok()) return algorithm.status();
  policy.algorithm = *std::move(algorithm);
  absl::Status status = policy.algorithm->Load(checkpoint->tensors);
  if (!status.ok()) return status;
  if (policy.config.normalization().observation()) {
    policy.normalizer = std::make_unique<ObservationNormalizer>(
        problem->observation_dim, policy.config.normalization().observation_clip());
    status = policy.normalizer->moments().Load(kObservationMoments, checkpoint->tensors);
    if (!status.ok()) return status;
  }
  return policy;
}

}  // namespace hivewire
