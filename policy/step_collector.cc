#include "policy/step_collector.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/time/clock.h"

namespace hivewire {
namespace {

constexpr char kObservations[] = "collector.observations";

// What `call` returns; the time it took is added to `total`.
template <typename Call>
auto Timed(absl::Duration& total, Call call) {
  const absl::Time begin = absl::Now();
  auto result = call();
  total += absl::Now() - begin;
  return result;
}

}  // namespace

StepCollector::StepCollector(VectorEnv& env, Actor& actor, const ActionSpace& action,
                             const v1::LearnerConfig& config,
                             std::unique_ptr<Observations> observations)
    : env_(env),
      actor_(actor),
      action_(action),
      shown_(std::move(observations)),
      normalizers_(config, shown_->dim(), env.num_envs()),
      num_lanes_(std::max(config.env().num_envs(), env.num_envs())),
      observations_(static_cast<size_t>(env.num_envs()) * shown_->dim()) {
  const int num_groups = std::min(config.collection().groups(), env.num_envs());
  groups_.resize(num_groups);
  for (int i = 0; i < num_groups; ++i) {
    const int first = env.num_envs() * i / num_groups;
    const int end = env.num_envs() * (i + 1) / num_groups;
    Group& group = groups_[i];
    group.lanes = {first, end - first};
    group.env_ids.resize(group.lanes.count);
    std::iota(group.env_ids.begin(), group.env_ids.end(), first);
    group.actions.resize(group.lanes.count * action_.row_bytes());
  }
}

absl::Status StepCollector::Start(uint64_t seed) {
  seed_ = seed;
  if (absl::Status status = StartEpisodes(seed, scratch_, /*renew=*/false); !status.ok()) {
    return status;
  }
  actor_.StartEpisodes({0, env_.num_envs()});
  return TakeObservations(0, scratch_);
}

absl::Status StepCollector::StartEpisodes(uint64_t seed, StepResult& result, bool renew) {
  absl::Status status;
  do {
    if (renew) status = env_.Renew();
    if (!status.ok()) return status;
    status = env_.Reset(seed, result);
    renew = PoolsAreGone(status);
  } while (renew);
  return status;
}

absl::StatusOr<int64_t> StepCollector::Collect(int64_t max_frames) {
  const int64_t num_lanes = env_.num_envs();
  const int64_t frames = std::min(max_frames, actor_.StepsUntilUpdate() * num_lanes);
  times_ = {};
  // In the last round only the first lanes take a step.
  for (int64_t begun = 0; begun < frames; begun += num_lanes) {
    const int64_t lanes = std::min(num_lanes, frames - begun);
    for (Group& group : groups_) {
      if (absl::Status status = Finish(group); !status.ok()) return status;
      const int count =
          static_cast<int>(std::clamp<int64_t>(lanes - group.lanes.first, 0, group.lanes.count));
      if (count == 0) continue;
      if (absl::Status status = Send(group, count); !status.ok()) return status;
    }
  }
  for (Group& group : groups_) {
    if (absl::Status status = Finish(group); !status.ok()) return status;
  }
  // The algorithm takes no further step, so it sees the new episodes from their start.
  for (Group& group : groups_) {
    if (!group.restarted) continue;
    TakeRestart(group, group.lanes.count);
    absl::Status status = TakeObservations(group.lanes.first, group.result);
    if (!status.ok()) return status;
    actor_.StartEpisodes(group.lanes);
    group.restarted = group.arrived = false;
  }
  return frames;
}

absl::Status StepCollector::Send(Group& group, int count) {
  const LaneRange lanes = {group.lanes.first, count};
  const absl::Span<char> actions(group.actions.data(), count * action_.row_bytes());
  absl::Status status =
      Timed(times_.act, [&] { return actor_.Act(lanes, ObservationsOf(lanes), actions); });
  if (!status.ok()) return status;
  group.in_flight = count;
  if (group.restarted) {
    TakeRestart(group, count);
    return absl::OkStatus();
  }
  status = env_.SendStep(absl::MakeConstSpan(group.env_ids).first(count), actions);
  return PoolsAreGone(status) ? Renew() : status;
}

absl::Status StepCollector::Renew() {
  ++losses_;
  // Other episodes than those that were lost, or they would be learned from twice.
  const uint64_t seed = seed_ + static_cast<uint64_t>(losses_ * num_lanes_);
  if (absl::Status status = StartEpisodes(seed, restart_, /*renew=*/true); !status.ok()) {
    return status;
  }
  for (Group& group : groups_) {
    group.restarted = true;
    // A result that had come is still recorded; the restart is the step after it.
    if (group.in_flight > 0 && !group.arrived) TakeRestart(group, group.in_flight);
  }
  return absl::OkStatus();
}

void StepCollector::TakeRestart(Group& group, int count) {
  const auto cut = [&](const auto& all, auto& part) {
    part.assign(all.begin() + group.lanes.first, all.begin() + group.lanes.first + count);
  };
  StepResult& result = group.result;
  result = StepResult();
  cut(restart_.env_ids, result.env_ids);
  for (const LeafBuffer& leaf : restart_.observations) {
    LeafBuffer& rows = result.observations.emplace_back(leaf.name(), leaf.dtype(), leaf.shape());
    rows.Resize(count);
    std::copy_n(leaf.row(group.lanes.first), count * leaf.row_bytes(), rows.row(0));
  }
  cut(restart_.rewards, result.rewards);
  cut(restart_.terminated, result.terminated);
  cut(restart_.truncated, result.truncated);
  cut(restart_.first, result.first);
  cut(restart_.fault, result.fault);
  group.arrived = true;
  group.restarted = count < group.lanes.count;
}

absl::Status StepCollector::Await(Group& group) {
  while (!group.arrived) {
    absl::Status status = Timed(times_.wait, [&] { return env_.Receive(scratch_); });
    if (PoolsAreGone(status)) {
      status = Renew();
      if (status.ok()) continue;
    }
    if (!status.ok()) return status;
    const auto owner = std::find_if(groups_.begin(), groups_.end(), [this](const Group& other) {
      return other.in_flight > 0 && other.env_ids[0] == scratch_.env_ids.at(0);
    });
    if (owner == groups_.end()) return absl::InternalError("a result for lanes that were not sent");
    std::swap(owner->result, scratch_);
    owner->arrived = true;
  }
  group.arrived = false;
  return absl::OkStatus();
}

absl::Status StepCollector::Finish(Group& group) {
  if (group.in_flight == 0) return absl::OkStatus();
  if (absl::Status status = Await(group); !status.ok()) return status;
  const StepResult& result = group.result;
  const LaneRange lanes = {group.lanes.first, std::exchange(group.in_flight, 0)};
  rewards_.assign(result.rewards.begin(), result.rewards.end());
  valid_.resize(lanes.count);
  for (int i = 0; i < lanes.count; ++i) valid_[i] = !result.first[i] && !result.fault[i];
  for (const v1::Episode& episode : result.episodes) {
    episodes_.push_back({episode.episode_return(), static_cast<double>(episode.length()),
                         static_cast<int>(episode.env_id())});
  }
  faults_ += static_cast<int64_t>(result.faults.size());

  absl::Status status =
      Timed(times_.observe, [&] { return TakeObservations(lanes.first, result); });
  if (!status.ok()) return status;
  normalizers_.NormalizeRewards(lanes.first, absl::MakeSpan(rewards_), valid_, result.terminated,
                                result.truncated);
  return actor_.Record(lanes, {.next_observations = ObservationsOf(lanes),
                               .rewards = rewards_,
                               .terminated = result.terminated,
                               .truncated = result.truncated,
                               .valid = valid_,
                               .fault = result.fault});
}

absl::Status StepCollector::TakeObservations(int first_lane, const StepResult& result) {
  const absl::Span<float> rows = ObservationsOf({first_lane, result.num_rows()});
  absl::Status status = shown_->Show(result.env_ids, result.first, result.observations, rows);
  if (!status.ok()) return status;
  ObservationNormalizer* normalizer = normalizers_.observation();
  if (normalizer == nullptr) return absl::OkStatus();
  // The row of a failed lane is all zero and shows nothing.
  seen_.resize(result.fault.size());
  for (size_t i = 0; i < seen_.size(); ++i) seen_[i] = !result.fault[i];
  normalizer->moments().Update(rows, seen_);
  normalizer->Normalize(rows);
  return absl::OkStatus();
}

absl::Span<float> StepCollector::ObservationsOf(LaneRange lanes) {
  const size_t dim = static_cast<size_t>(shown_->dim());
  return absl::MakeSpan(observations_).subspan(lanes.first * dim, lanes.count * dim);
}

std::vector<EpisodeSummary> StepCollector::TakeEpisodes() { return std::exchange(episodes_, {}); }

int64_t StepCollector::TakeFaults() { return std::exchange(faults_, 0); }

std::vector<Statistic> StepCollector::statistics() const {
  return {{"charts/wait_seconds", absl::ToDoubleSeconds(times_.wait)},
          {"charts/observe_seconds", absl::ToDoubleSeconds(times_.observe)},
          {"charts/act_seconds", absl::ToDoubleSeconds(times_.act)}};
}

absl::Status StepCollector::Save(bool env_state, TensorMap& tensors) {
  tensors.PutFloats(kObservations, observations_);
  normalizers_.Save(tensors);
  if (absl::Status status = shown_->Save(tensors); !status.ok()) return status;
  return env_state ? SaveEnvStates(env_.SaveState(), tensors) : absl::OkStatus();
}

absl::Status StepCollector::Load(const TensorMap& tensors, uint64_t seed,
                                 absl::Status& env_state_lost) {
  if (absl::Status status = normalizers_.Load(tensors); !status.ok()) return status;
  seed_ = seed;
  const absl::StatusOr<std::vector<std::string>> snapshots =
      LoadEnvStates(tensors, env_.num_envs());
  env_state_lost = snapshots.status();
  if (env_state_lost.ok()) env_state_lost = env_.LoadState(*snapshots, scratch_);
  if (!env_state_lost.ok()) return Start(seed);
  if (absl::Status status = shown_->Load(tensors); !status.ok()) return status;
  return tensors.GetFloats(kObservations, absl::MakeSpan(observations_));
}

}  // namespace hivewire
