#include "policy/embedded_source.h"

#include <memory>
#include <utility>

#include "policy/acting_policy.h"
#include "policy/session.h"

namespace hivewire {

v1::LearnerConfig RawCollection(const v1::LearnerConfig& config) {
  v1::LearnerConfig raw = config;
  raw.mutable_normalization()->set_observation(false);
  raw.mutable_normalization()->set_reward(false);
  raw.mutable_normalization()->set_reward_scale(1);
  return raw;
}

EmbeddedSource::EmbeddedSource(VectorEnv& env, const Problem& problem,
                               const v1::LearnerConfig& config,
                               std::unique_ptr<Observations> observations)
    : problem_(problem),
      action_leaf_(ActionLeaf(env)),
      actor_(problem.action, problem.observation_dim, 0, problem.num_lanes,
             PolicySeed(config.seed(), 0)),
      collector_(env, actor_, problem.action, RawCollection(config), std::move(observations)) {}

absl::StatusOr<std::vector<Experience>> EmbeddedSource::Gather(const v1::Policy& policy,
                                                               int steps) {
  auto made = MakeCpuPolicy(policy);
  if (!made.ok()) return made.status();
  actor_.Begin(steps, [policy = *made] { return policy; });
  if (absl::Status status = collector_.Collect(INT64_MAX).status(); !status.ok()) return status;
  std::vector<Experience> parts;
  parts.push_back(actor_.Take());
  parts[0].episodes = collector_.TakeEpisodes();
  return parts;
}

absl::Status EmbeddedSource::Save(bool env_state, TensorMap& tensors) {
  actor_.Save(tensors);
  return collector_.Save(env_state, tensors);
}

absl::Status EmbeddedSource::Load(const TensorMap& tensors, uint64_t seed,
                                  absl::Status& env_state_lost) {
  // Other random numbers and episodes than those before.
  env_state_lost = actor_.Load(tensors);
  if (!env_state_lost.ok()) return Start(seed);
  absl::Status status = collector_.Load(tensors, seed, env_state_lost);
  if (!env_state_lost.ok()) actor_.StartAnew();
  return status;
}

}  // namespace hivewire
