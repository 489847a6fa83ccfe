#include "policy/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/layout.h"
#include "policy/observation.h"

namespace hivewire {

namespace {

VectorEnvOptions EnvOptions(const v1::LearnerConfig& config, int num_envs, const Reach& reach) {
  const v1::EnvConfig& env = config.env();
  VectorEnvOptions options;
  options.server = env.server();
  options.connection = reach.connection;
  options.env_id = env.id();
  options.env_options = {env.options().begin(), env.options().end()};
  options.num_envs = num_envs;
  options.autoreset_mode = v1::AUTORESET_MODE_NEXT_STEP;
  options.observation_dtype = v1::DTYPE_FLOAT32;
  options.with_info = false;
  const int max_frames = config.collection().max_frames_per_traj();
  options.max_episode_steps = max_frames > 0 ? max_frames : env.max_episode_steps();
  options.step_timeout = absl::Seconds(env.step_timeout());
  return options;
}

absl::StatusOr<std::unique_ptr<VectorEnv>> Make(const VectorEnvOptions& options,
                                                const Reach& reach) {
  if (reach.carriers) return VectorEnv::Make(options, reach.carriers);
  return VectorEnv::Make(options);
}

absl::StatusOr<Problem> ProblemOf(const v1::EnvSpec& spec,
                                  const std::vector<v1::LayoutLeaf>& observation,
                                  v1::DType action_dtype, int num_lanes) {
  absl::StatusOr<ActionSpace> action = ActionSpace::FromSpec(spec, action_dtype);
  if (!action.ok()) return action.status();
  Problem problem = {num_lanes, ObservationFlattener(observation).dim(), *std::move(action),
                     ObservationLeaves(observation)};
  if (spec.has_reward_threshold()) problem.reward_threshold = spec.reward_threshold();
  return problem;
}

// With what the chain of `config`, where it has one, shows in place of the env's leaves.
absl::StatusOr<Problem> Transformed(absl::StatusOr<Problem> problem,
                                    const Observations& observations,
                                    const v1::LearnerConfig& config) {
  if (!problem.ok() || config.transforms().empty()) return problem;
  problem->observation_dim = observations.dim();
  problem->observation_leaves = observations.leaves();
  return problem;
}

// Of any lanes with the interface of VectorEnv.
template <typename Lanes>
absl::StatusOr<Problem> ProblemOf(const Lanes& lanes) {
  const v1::DType dtype =
      lanes.action_leaves().empty() ? v1::DTYPE_UNSPECIFIED : lanes.action_leaves()[0].dtype();
  return ProblemOf(lanes.spec(), lanes.observation_leaves(), dtype, lanes.num_envs());
}

template <typename Lanes>
v1::LeafSpec ActionLeafOf(const Lanes& lanes) {
  v1::LeafSpec leaf = lanes.spec().action(0);
  leaf.set_dtype(lanes.action_leaves()[0].dtype());
  return leaf;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEnv(const v1::LearnerConfig& config, int num_envs,
                                                   const Reach& reach) {
  return Make(EnvOptions(config, num_envs, reach), reach);
}

absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEvaluationEnv(const v1::LearnerConfig& config,
                                                             int max_envs, const Reach& reach) {
  VectorEnvOptions options =
      EnvOptions(config, std::min(config.evaluation().num_envs(), max_envs), reach);
  // collection.max_frames_per_traj cuts what is learned from, not what is judged.
  options.max_episode_steps = config.env().max_episode_steps();
  // Servers that no lane is left for are not asked.
  std::vector<std::string> servers = absl::StrSplit(options.server, ',');
  servers.resize(std::min(servers.size(), static_cast<size_t>(options.num_envs)));
  options.server = absl::StrJoin(servers, ",");
  // Servers tell of success where they send the info that it is in.
  options.with_info = true;
  return Make(options, reach);
}

absl::StatusOr<std::unique_ptr<VectorRollout>> MakeRollout(const v1::LearnerConfig& config,
                                                           const Reach& reach) {
  return VectorRollout::Make(EnvOptions(config, config.env().num_envs(), reach));
}

absl::StatusOr<std::unique_ptr<Observations>> MakeObservations(const VectorEnv& env,
                                                               const v1::LearnerConfig& config) {
  return Observations::Make(config, env.observation_leaves(), env.num_envs());
}

absl::StatusOr<Problem> MakeProblem(const VectorEnv& env, const v1::LearnerConfig& config) {
  const auto observations = MakeObservations(env, config);
  if (!observations.ok()) return observations.status();
  return Transformed(ProblemOf(env), **observations, config);
}

absl::StatusOr<Problem> MakeProblem(const VectorRollout& rollout) { return ProblemOf(rollout); }

absl::StatusOr<Problem> MakeProblem(const v1::EnvSpec& spec, const v1::LearnerConfig& config) {
  std::vector<v1::LayoutLeaf> leaves;
  for (const v1::LeafSpec& leaf : spec.observation()) {
    leaves.push_back(MakeLayoutLeaf(leaf, v1::LEAF_ROLE_OBSERVATION));
  }
  const auto observations = Observations::Make(config, leaves, /*num_lanes=*/1);
  if (!observations.ok()) return observations.status();
  return Transformed(
      ProblemOf(spec, leaves,
                spec.action().empty() ? v1::DTYPE_UNSPECIFIED : spec.action(0).dtype(),
                config.env().num_envs()),
      **observations, config);
}

v1::LeafSpec ActionLeaf(const VectorEnv& env) { return ActionLeafOf(env); }

v1::LeafSpec ActionLeaf(const VectorRollout& rollout) { return ActionLeafOf(rollout); }

}  // namespace hivewire
