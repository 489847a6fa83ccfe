#include "policy/remote_policy_collector.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/vector_env.h"

namespace hivewire {
namespace {

constexpr char kVersion[] = "collector.policy_version";
constexpr char kEndedBadly[] = "collector.ended_badly";

// SplitMix64's mixing function (Steele, Lea, Flood 2014).
uint64_t Mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

RemotePolicyCollector::RemotePolicyCollector(VectorRollout& rollout, Algorithm& algorithm,
                                             const ActionSpace& action,
                                             const v1::LearnerConfig& config)
    : rollout_(rollout),
      algorithm_(algorithm),
      action_(action),
      flattener_(rollout.observation_leaves()),
      run_seed_(config.seed()),
      step_timeout_(absl::Seconds(config.env().step_timeout())),
      normalizers_(config, flattener_.dim(), rollout.num_envs()),
      come_(static_cast<size_t>(rollout.num_envs())),
      ended_badly_(static_cast<size_t>(rollout.num_envs())) {}

absl::Status RemotePolicyCollector::Start(uint64_t seed) {
  seed_ = seed;
  for (int k = 0; k < rollout_.num_servers(); ++k) {
    absl::Status status = rollout_.Reset(k, seed);
    if (PoolsAreGone(status)) status = Renew(k);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> RemotePolicyCollector::Collect(int64_t max_frames) {
  const int64_t num_lanes = rollout_.num_envs();
  const int64_t frames = std::min(max_frames, algorithm_.StepsUntilUpdate() * num_lanes);
  if (frames <= 0) return 0;
  const int steps = static_cast<int>((frames + num_lanes - 1) / num_lanes);
  const auto rows = static_cast<size_t>(steps * num_lanes);
  const auto lanes = static_cast<size_t>(num_lanes);
  observations_.resize((rows + lanes) * static_cast<size_t>(flattener_.dim()));
  values_.resize(rows + lanes);
  actions_.resize(rows * action_.row_bytes());
  log_probs_.resize(rows);
  rewards_.resize(rows);
  for (auto* flags : {&terminated_, &truncated_, &valid_, &fault_}) flags->resize(rows);
  std::fill(come_.begin(), come_.end(), 0);

  const absl::StatusOr<v1::Policy> policy = NextPolicy();
  if (!policy.ok()) return policy.status();
  std::vector<absl::Status> begun;
  for (int k = 0; k < rollout_.num_servers(); ++k) begun.push_back(Begin(k, *policy, steps));
  for (int k = 0; k < rollout_.num_servers(); ++k) {
    absl::Status status = begun[static_cast<size_t>(k)];
    if (status.ok()) status = Gather(k, steps);
    while (PoolsAreGone(status)) {
      status = Renew(k);
      if (status.ok()) status = Begin(k, *policy, steps);
      if (status.ok()) status = Gather(k, steps);
    }
    if (!status.ok()) return status;
  }
  if (absl::Status status = Record(steps, frames); !status.ok()) return status;
  return frames;
}

absl::StatusOr<v1::Policy> RemotePolicyCollector::NextPolicy() {
  absl::StatusOr<v1::Policy> policy = algorithm_.Export();
  if (!policy.ok()) return policy;
  policy->set_version(++version_);
  for (const v1::LayoutLeaf& leaf : rollout_.observation_leaves()) {
    policy->add_observation_leaves(leaf.name());
  }
  for (size_t i = 0; i < rollout_.action_leaves().size(); ++i) {
    v1::LeafSpec& leaf = *policy->add_action();
    leaf = rollout_.spec().action(static_cast<int>(i));
    leaf.set_dtype(rollout_.action_leaves()[i].dtype());
  }
  if (const ObservationNormalizer* normalizer = normalizers_.observation()) {
    *policy->mutable_observation_normalizer() = normalizer->Export();
  }
  return policy;
}

absl::Status RemotePolicyCollector::Begin(int k, const v1::Policy& policy, int steps) {
  RolloutClient& client = rollout_.client(k);
  absl::StatusOr<uint64_t> version = client.Publish(policy);
  if (!version.ok()) return version.status();
  const auto stream = static_cast<uint64_t>(k);
  client.Collect({.fragment_length = static_cast<uint32_t>(steps),
                  .max_fragments = 1,
                  .policy_seed = Mixed(Mixed(Mixed(run_seed_) + version_) + stream)});
  return absl::OkStatus();
}

absl::Status RemotePolicyCollector::Gather(int k, int steps) {
  while (true) {
    const absl::StatusOr<Fragment> fragment =
        rollout_.client(k).Next(absl::Now() + step_timeout_ * steps);
    // All lanes have come, and stand.
    if (absl::IsOutOfRange(fragment.status())) return absl::OkStatus();
    if (!fragment.ok()) return fragment.status();
    if (absl::Status status = Take(k, steps, *fragment); !status.ok()) return status;
  }
}

absl::Status RemotePolicyCollector::Renew(int k) {
  ++losses_;
  const auto first = rollout_.first_lane(k);
  const auto count = static_cast<size_t>(rollout_.num_lanes(k));
  std::fill_n(come_.begin() + first, count, 0);
  std::fill_n(ended_badly_.begin() + first, count, 0);
  normalizers_.StartAnew(first, rollout_.num_lanes(k));
  // Other episodes than those that were lost, or they would be learned from twice.
  return rollout_.Renew(k, seed_ + static_cast<uint64_t>(losses_ * rollout_.num_envs()));
}

absl::Status RemotePolicyCollector::Take(int k, int steps, const Fragment& fragment) {
  if (absl::Status status = fragment.policy_status(); !status.ok()) return status;
  const size_t dim = static_cast<size_t>(flattener_.dim());
  const size_t action_bytes = action_.row_bytes();
  if (fragment.length() != static_cast<size_t>(steps) || fragment.values().empty() ||
      fragment.actions().size() != 1 || fragment.actions()[0].row_bytes != action_bytes ||
      fragment.observations().size() != rollout_.observation_leaves().size()) {
    return absl::DataLossError("a fragment is not of the form that was asked for");
  }
  for (const uint64_t version : fragment.policy_versions()) {
    if (version == version_) continue;
    return absl::DataLossError(absl::StrCat("a fragment has a step by version ", version,
                                            " of the policy where ", version_, " was in force"));
  }
  const size_t num_lanes = fragment.lanes();
  flat_.resize((fragment.length() + 1) * num_lanes * dim);
  const absl::Span<float> flat = absl::MakeSpan(flat_);
  const size_t last = fragment.length() * num_lanes;
  flattener_.Flatten(fragment.observations(), flat.first(last * dim));
  flattener_.Flatten(fragment.last_observations(), flat.subspan(last * dim));
  const char* actions = fragment.actions()[0].data;
  for (size_t i = 0; i < num_lanes; ++i) {
    const int lane = rollout_.first_lane(k) + static_cast<int>(fragment.env_ids()[i]);
    if (std::exchange(come_[static_cast<size_t>(lane)], 1)) continue;  // after a broken connection
    for (int step = 0; step <= steps; ++step) {
      const size_t from = static_cast<size_t>(step) * num_lanes + i;
      const size_t to = Row(step, lane);
      std::copy_n(&flat_[from * dim], dim, &observations_[to * dim]);
      if (step == steps) {
        values_[to] = fragment.last_values()[i];
        break;
      }
      std::copy_n(actions + from * action_bytes, action_bytes, &actions_[to * action_bytes]);
      log_probs_[to] = fragment.log_probs()[from];
      values_[to] = fragment.values()[from];
      rewards_[to] = static_cast<float>(fragment.rewards()[from]);
      const unsigned flags = fragment.flags()[from];
      terminated_[to] = (flags & v1::LANE_FLAG_TERMINATED) != 0;
      truncated_[to] = (flags & v1::LANE_FLAG_TRUNCATED) != 0;
      fault_[to] = (flags & v1::LANE_FLAG_FAULT) != 0;
      valid_[to] = (flags & (v1::LANE_FLAG_FIRST | v1::LANE_FLAG_FAULT)) == 0;
      if (!fault_[to]) continue;
      ++faults_;
      // A failed row has no value, so the step before it has nothing to be bootstrapped from.
      if (step > 0) valid_[Row(step - 1, lane)] = 0;
    }
  }
  for (const v1::Episode& episode : fragment.episodes()) {
    episodes_.push_back({episode.episode_return(), static_cast<double>(episode.length()),
                         rollout_.first_lane(k) + static_cast<int>(episode.env_id())});
  }
  return absl::OkStatus();
}

absl::Status RemotePolicyCollector::Record(int steps, int64_t frames) {
  const int num_lanes = rollout_.num_envs();
  const size_t dim = static_cast<size_t>(flattener_.dim());
  if (ObservationNormalizer* normalizer = normalizers_.observation()) {
    // As the policy saw them; then it learns what they are.
    const ObservationNormalizer published = *normalizer;
    seen_.resize(Row(steps, 0));
    for (size_t row = 0; row < seen_.size(); ++row) {
      // What a failed lane shows after the failure is all zero, and nothing.
      const auto lanes = static_cast<size_t>(num_lanes);
      seen_[row] = row < lanes ? !ended_badly_[row] : !fault_[row - lanes];
    }
    normalizer->moments().Update(absl::MakeConstSpan(observations_).first(seen_.size() * dim),
                                 seen_);
    published.Normalize(absl::MakeSpan(observations_));
  }
  std::copy(fault_.end() - num_lanes, fault_.end(), ended_badly_.begin());

  for (int step = 0; step < steps; ++step) {
    // In the last step only the first lanes may count.
    const int count = static_cast<int>(
        std::min<int64_t>(num_lanes, frames - static_cast<int64_t>(step) * num_lanes));
    const size_t at = Row(step, 0), next = Row(step + 1, 0);
    const auto of = [count](auto& all, size_t begin, size_t width = 1) {
      return absl::MakeSpan(all).subspan(begin * width, static_cast<size_t>(count) * width);
    };
    normalizers_.NormalizeRewards(0, of(rewards_, at), of(valid_, at), of(terminated_, at),
                                  of(truncated_, at));
    absl::Status status = algorithm_.TakeChoices(
        {0, count}, {of(observations_, at, dim), of(actions_, at, action_.row_bytes()),
                     of(log_probs_, at), of(values_, at)});
    if (!status.ok()) return status;
    status = algorithm_.Record({0, count},
                               {of(observations_, next, dim), of(rewards_, at), of(terminated_, at),
                                of(truncated_, at), of(valid_, at), of(values_, next)});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<EpisodeSummary> RemotePolicyCollector::TakeEpisodes() {
  return std::exchange(episodes_, {});
}

int64_t RemotePolicyCollector::TakeFaults() { return std::exchange(faults_, 0); }

absl::Status RemotePolicyCollector::Save(bool env_state, TensorMap& tensors) {
  const double version = static_cast<double>(version_);
  tensors.PutDoubles(kVersion, {&version, 1});
  tensors.PutBytes(kEndedBadly,
                   {reinterpret_cast<const char*>(ended_badly_.data()), ended_badly_.size()});
  normalizers_.Save(tensors);
  return env_state ? SaveEnvStates(rollout_.SaveState(), tensors) : absl::OkStatus();
}

absl::Status RemotePolicyCollector::Load(const TensorMap& tensors, uint64_t seed,
                                         absl::Status& env_state_lost) {
  double version = 0;
  absl::Status status;
  // A run that stepped its envs until now has published nothing yet.
  if (tensors.contains(kVersion)) status = tensors.GetDoubles(kVersion, {&version, 1});
  version_ = static_cast<uint64_t>(version);
  if (status.ok()) status = normalizers_.Load(tensors);
  if (!status.ok()) return status;

  seed_ = seed;
  const absl::StatusOr<std::vector<std::string>> snapshots =
      LoadEnvStates(tensors, rollout_.num_envs());
  env_state_lost = snapshots.status();
  if (env_state_lost.ok()) env_state_lost = rollout_.LoadState(*snapshots);
  if (!env_state_lost.ok()) return Start(seed);
  const absl::StatusOr<std::string> ended_badly = tensors.GetBytes(kEndedBadly);
  if (ended_badly.ok() && ended_badly->size() == ended_badly_.size()) {
    std::copy(ended_badly->begin(), ended_badly->end(), ended_badly_.begin());
  }
  return absl::OkStatus();
}

}  // namespace hivewire
