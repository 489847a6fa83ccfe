#include "policy/remote_policy_source.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/vector_env.h"
#include "policy/collector_state.h"
#include "policy/exported_actor.h"
#include "policy/session.h"

namespace hivewire {

RemotePolicySource::RemotePolicySource(VectorRollout& rollout, const Problem& problem,
                                       const v1::LearnerConfig& config)
    : rollout_(rollout),
      problem_(problem),
      action_leaf_(ActionLeaf(rollout)),
      flattener_(rollout.observation_leaves()),
      run_seed_(config.seed()),
      step_timeout_(absl::Seconds(config.env().step_timeout())),
      parts_(static_cast<size_t>(rollout.num_servers())) {
  for (int k = 0; k < rollout.num_servers(); ++k) {
    Part& part = parts_[static_cast<size_t>(k)];
    part.experience.shape = {problem.observation_dim, problem.action.row_bytes()};
    part.experience.lanes.resize(static_cast<size_t>(rollout.num_lanes(k)));
    std::iota(part.experience.lanes.begin(), part.experience.lanes.end(), rollout.first_lane(k));
  }
}

std::vector<std::string> RemotePolicySource::observation_leaves() const {
  std::vector<std::string> names;
  for (const v1::LayoutLeaf& leaf : rollout_.observation_leaves()) names.push_back(leaf.name());
  return names;
}

absl::Status RemotePolicySource::Start(uint64_t seed) {
  seed_ = seed;
  for (int k = 0; k < rollout_.num_servers(); ++k) {
    parts_[static_cast<size_t>(k)].fresh = true;
    absl::Status status = rollout_.Reset(k, seed);
    if (PoolsAreGone(status)) status = Renew(k);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Experience>> RemotePolicySource::Gather(const v1::Policy& policy,
                                                                   int steps) {
  std::vector<absl::Status> begun;
  for (int k = 0; k < rollout_.num_servers(); ++k) begun.push_back(Begin(k, policy, steps));
  std::vector<Experience> experiences;
  for (int k = 0; k < rollout_.num_servers(); ++k) {
    absl::Status status = begun[static_cast<size_t>(k)];
    if (status.ok()) status = Receive(k, policy.version(), steps);
    while (PoolsAreGone(status)) {
      status = Renew(k);
      if (status.ok()) status = Begin(k, policy, steps);
      if (status.ok()) status = Receive(k, policy.version(), steps);
    }
    if (!status.ok()) return status;
    Part& part = parts_[static_cast<size_t>(k)];
    part.experience.starts_anew = std::exchange(part.fresh, false);
    experiences.push_back(part.experience);
  }
  return experiences;
}

absl::Status RemotePolicySource::Begin(int k, const v1::Policy& policy, int steps) {
  Part& part = parts_[static_cast<size_t>(k)];
  part.experience.Resize(steps);
  part.experience.episodes.clear();
  part.come.assign(part.experience.lanes.size(), 0);
  RolloutClient& client = rollout_.client(k);
  const absl::StatusOr<uint64_t> version = client.Publish(policy);
  if (!version.ok()) return version.status();
  client.Collect({.fragment_length = static_cast<uint32_t>(steps),
                  .max_fragments = 1,
                  .policy_seed = PolicySeed(PolicySeed(run_seed_, policy.version()),
                                            static_cast<uint64_t>(k))});
  return absl::OkStatus();
}

absl::Status RemotePolicySource::Receive(int k, uint64_t version, int steps) {
  while (true) {
    const absl::StatusOr<Fragment> fragment =
        rollout_.client(k).Next(absl::Now() + step_timeout_ * steps);
    // All lanes have come, and stand.
    if (absl::IsOutOfRange(fragment.status())) return absl::OkStatus();
    if (!fragment.ok()) return fragment.status();
    absl::Status status = Take(*fragment, version, parts_[static_cast<size_t>(k)]);
    if (!status.ok()) return status;
  }
}

absl::Status RemotePolicySource::Renew(int k) {
  ++losses_;
  parts_[static_cast<size_t>(k)].fresh = true;
  // Other episodes than those that were lost, or they would be learned from twice.
  return rollout_.Renew(k, seed_ + static_cast<uint64_t>(losses_ * rollout_.num_envs()));
}

absl::Status RemotePolicySource::Take(const Fragment& fragment, uint64_t version, Part& part) {
  if (absl::Status status = fragment.policy_status(); !status.ok()) return status;
  Experience& experience = part.experience;
  const auto steps = static_cast<size_t>(experience.steps);
  const auto dim = static_cast<size_t>(experience.shape.observation_dim);
  const size_t action_bytes = experience.shape.action_bytes;
  if (fragment.length() != steps || fragment.actions().size() != 1 ||
      fragment.actions()[0].row_bytes != action_bytes ||
      fragment.observations().size() != rollout_.observation_leaves().size()) {
    return absl::DataLossError("a fragment is not of the form that was asked for");
  }
  for (const uint64_t other : fragment.policy_versions()) {
    if (other == version) continue;
    return absl::DataLossError(absl::StrCat("a fragment has a step by version ", other,
                                            " of the policy where ", version, " was in force"));
  }
  const size_t num_lanes = fragment.lanes();
  const size_t last = steps * num_lanes;
  flat_.resize((last + num_lanes) * dim);
  const absl::Span<float> flat = absl::MakeSpan(flat_);
  flattener_.Flatten(fragment.observations(), flat.first(last * dim));
  flattener_.Flatten(fragment.last_observations(), flat.subspan(last * dim));
  const char* actions = fragment.actions()[0].data;
  for (size_t i = 0; i < num_lanes; ++i) {
    const size_t lane = fragment.env_ids()[i];
    if (std::exchange(part.come[lane], 1)) continue;  // after a broken connection
    for (size_t step = 0; step <= steps; ++step) {
      const size_t from = step * num_lanes + i;
      const size_t to = experience.row(static_cast<int>(step), lane);
      std::copy_n(&flat_[from * dim], dim, &experience.observations[to * dim]);
      if (step == steps) break;
      std::copy_n(actions + from * action_bytes, action_bytes,
                  &experience.actions[to * action_bytes]);
      experience.log_probs[to] = fragment.log_probs()[from];
      experience.rewards[to] = static_cast<float>(fragment.rewards()[from]);
      experience.versions[to] = version;
      const unsigned flags = fragment.flags()[from];
      experience.terminated[to] = (flags & v1::LANE_FLAG_TERMINATED) != 0;
      experience.truncated[to] = (flags & v1::LANE_FLAG_TRUNCATED) != 0;
      experience.fault[to] = (flags & v1::LANE_FLAG_FAULT) != 0;
      experience.valid[to] = (flags & (v1::LANE_FLAG_FIRST | v1::LANE_FLAG_FAULT)) == 0;
    }
  }
  for (const v1::Episode& episode : fragment.episodes()) {
    experience.episodes.push_back({episode.episode_return(), static_cast<double>(episode.length()),
                                   experience.lanes[0] + static_cast<int>(episode.env_id())});
  }
  return absl::OkStatus();
}

absl::Status RemotePolicySource::Save(bool env_state, TensorMap& tensors) {
  return env_state ? SaveEnvStates(rollout_.SaveState(), tensors) : absl::OkStatus();
}

absl::Status RemotePolicySource::Load(const TensorMap& tensors, uint64_t seed,
                                      absl::Status& env_state_lost) {
  seed_ = seed;
  const absl::StatusOr<std::vector<std::string>> snapshots =
      LoadEnvStates(tensors, rollout_.num_envs());
  env_state_lost = snapshots.status();
  if (env_state_lost.ok()) env_state_lost = rollout_.LoadState(*snapshots);
  if (!env_state_lost.ok()) return Start(seed);
  for (Part& part : parts_) part.fresh = false;
  return absl::OkStatus();
}

}  // namespace hivewire
