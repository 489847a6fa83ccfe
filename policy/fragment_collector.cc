#include "policy/fragment_collector.h"

#include <algorithm>
#include <string>
#include <utility>

#include "policy/random_policy.h"
#include "policy/ranks/moments.h"

namespace hivewire {
namespace {

constexpr char kVersion[] = "collector.policy_version";
constexpr char kEndedBadly[] = "collector.ended_badly";

}  // namespace

FragmentCollector::FragmentCollector(FragmentSource& source, Algorithm& algorithm,
                                     const v1::LearnerConfig& config, Ranks* ranks)
    : source_(source),
      algorithm_(algorithm),
      ranks_(ranks),
      num_lanes_(source.problem().num_lanes),
      normalizers_(config, source.problem().observation_dim, source.problem().num_lanes),
      random_frames_(
          std::max(config.collection().init_random_frames(), config.normalization().init_stats())),
      fixed_normalizer_(config.normalization().init_stats() > 0),
      ended_badly_(static_cast<size_t>(num_lanes_)) {}

absl::Status FragmentCollector::Start(uint64_t seed) { return source_.Start(seed); }

int64_t FragmentCollector::OwnPart(int64_t frames) const {
  if (ranks_ == nullptr) return frames;
  const int64_t rank = ranks_->rank();
  return frames * (rank + 1) / ranks_->size() - frames * rank / ranks_->size();
}

absl::StatusOr<int64_t> FragmentCollector::Collect(int64_t max_frames) {
  int64_t collected = 0;
  Experience experience;
  while (random_frames_ > 0 && collected < max_frames) {
    const absl::StatusOr<int64_t> frames =
        Gather(RandomPolicy(source_.action_leaf(), source_.problem().observation_dim),
               max_frames - collected, experience);
    if (!frames.ok()) return frames;
    random_frames_ -= *frames;
    collected += *frames;
    // Asynchronous collectors still act by it when the first policy is published.
    if (random_frames_ <= 0) source_.DropUpTo(version_);
  }
  if (collected == max_frames) return collected;
  absl::StatusOr<v1::Policy> policy = algorithm_.Export();
  if (!policy.ok()) return policy.status();
  // Values are the learner's own to compute, for all steps at once.
  policy->clear_critic();
  if (const ObservationNormalizer* normalizer = normalizers_.observation()) {
    *policy->mutable_observation_normalizer() = normalizer->Export();
  }
  const absl::StatusOr<int64_t> frames =
      Gather(*std::move(policy), max_frames - collected, experience);
  if (!frames.ok()) return frames;
  if (ranks_ != nullptr) normalizers_.BeginSharing();
  absl::Status status = Record(experience, own_frames_);
  if (status.ok() && ranks_ != nullptr) status = normalizers_.EndSharing(*ranks_);
  if (!status.ok()) return status;
  return collected + *frames;
}

absl::StatusOr<int64_t> FragmentCollector::Gather(v1::Policy policy, int64_t max_frames,
                                                  Experience& experience) {
  absl::StatusOr<int64_t> frames = GatherOwn(std::move(policy), OwnPart(max_frames), experience);
  own_frames_ = frames.value_or(0);
  if (ranks_ != nullptr) frames = Agree(*ranks_, frames);
  if (!frames.ok()) return frames;
  if (absl::Status status = Normalize(experience, own_frames_); !status.ok()) return status;
  return frames;
}

absl::StatusOr<int64_t> FragmentCollector::GatherOwn(v1::Policy policy, int64_t frames,
                                                     Experience& experience) {
  experience = {};
  policy.set_version(++version_);
  for (const std::string& leaf : source_.observation_leaves()) policy.add_observation_leaves(leaf);
  *policy.add_action() = source_.action_leaf();
  const int64_t wanted = std::min(frames, algorithm_.StepsUntilUpdate() * num_lanes_);
  // At the very end of a run there may be no frame left for this rank.
  if (wanted == 0) return 0;
  absl::StatusOr<std::vector<Experience>> parts =
      source_.Gather(policy, static_cast<int>((wanted + num_lanes_ - 1) / num_lanes_));
  if (!parts.ok()) return parts.status();
  for (const Experience& part : *parts) {
    if (!part.starts_anew) continue;
    normalizers_.StartAnew(part.lanes[0], part.num_lanes());
    algorithm_.StartEpisodes({part.lanes[0], part.num_lanes()});
    for (const int lane : part.lanes) ended_badly_[static_cast<size_t>(lane)] = 0;
  }
  experience = JoinLanes(*std::move(parts));
  return std::min(wanted, static_cast<int64_t>(experience.steps) * experience.num_lanes());
}

absl::Status FragmentCollector::Normalize(Experience& experience, int64_t own_frames) {
  const int64_t lanes = experience.num_lanes();
  const int steps = lanes > 0 ? static_cast<int>((own_frames + lanes - 1) / lanes) : 0;
  for (const EpisodeSummary& episode : EpisodesWithin(experience, steps)) {
    episodes_.push_back(episode);
  }
  faults_ +=
      std::count_if(experience.fault.begin(), experience.fault.begin() + experience.row(steps, 0),
                    [](uint8_t fault) { return fault != 0; });

  // What a failed lane shows after the failure is all zero, and nothing.
  seen_.resize(experience.row(steps, 0));
  for (size_t k = 0; k < experience.lanes.size(); ++k) {
    uint8_t& ended_badly = ended_badly_[static_cast<size_t>(experience.lanes[k])];
    for (int t = 0; t < steps; ++t) {
      seen_[experience.row(t, k)] = !ended_badly;
      ended_badly = experience.fault[experience.row(t, k)];
    }
  }
  ObservationNormalizer* const normalizer = normalizers_.observation();
  if (normalizer == nullptr) return absl::OkStatus();
  const ObservationNormalizer published = *normalizer;
  absl::Status status;
  if (!fixed_normalizer_ || random_frames_ > 0) {
    const size_t seen = seen_.size() * static_cast<size_t>(experience.shape.observation_dim);
    status = UpdateOverRanks(ranks_, absl::MakeConstSpan(experience.observations).first(seen),
                             seen_, normalizer->moments());
  }
  published.Normalize(absl::MakeSpan(experience.observations));
  return status;
}

absl::Status FragmentCollector::Record(Experience& experience, int64_t own_frames) {
  const int num_lanes = experience.num_lanes();
  const size_t dim = static_cast<size_t>(experience.shape.observation_dim);
  if (num_lanes > 0) {
    // Who acts at random remembers nothing.
    if (experience.first_memory.empty()) {
      experience.first_memory.resize(static_cast<size_t>(num_lanes * algorithm_.memory_width()));
    }
    absl::Status status = algorithm_.TakeMemories(experience.lanes, experience.first_memory);
    if (!status.ok()) return status;
  }
  // Lanes that follow one another in the run are told of together.
  int end = 0;
  for (int begin = 0; begin < num_lanes; begin = end) {
    const int first_lane = experience.lanes[static_cast<size_t>(begin)];
    for (end = begin + 1; end < num_lanes; ++end) {
      if (experience.lanes[static_cast<size_t>(end)] != first_lane + end - begin) break;
    }
    for (int step = 0; step < experience.steps; ++step) {
      // In the last step only the first lanes may count.
      const int count = static_cast<int>(std::clamp<int64_t>(
          own_frames - static_cast<int64_t>(step) * num_lanes - begin, 0, end - begin));
      if (count == 0) break;
      const LaneRange lanes = {begin, count};
      const size_t at = experience.row(step, static_cast<size_t>(begin));
      const size_t next = experience.row(step + 1, static_cast<size_t>(begin));
      const auto of = [count](auto& all, size_t first, size_t width = 1) {
        return absl::MakeSpan(all).subspan(first * width, static_cast<size_t>(count) * width);
      };
      normalizers_.NormalizeRewards(first_lane, of(experience.rewards, at),
                                    of(experience.valid, at), of(experience.terminated, at),
                                    of(experience.truncated, at));
      absl::Status status =
          algorithm_.TakeChoices(lanes, {of(experience.observations, at, dim),
                                         of(experience.actions, at, experience.shape.action_bytes),
                                         of(experience.log_probs, at)});
      if (!status.ok()) return status;
      status = algorithm_.Record(lanes, {of(experience.observations, next, dim),
                                         of(experience.rewards, at), of(experience.terminated, at),
                                         of(experience.truncated, at), of(experience.valid, at)});
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

std::vector<EpisodeSummary> FragmentCollector::TakeEpisodes() {
  return std::exchange(episodes_, {});
}

int64_t FragmentCollector::TakeFaults() { return std::exchange(faults_, 0); }

absl::Status FragmentCollector::Save(bool env_state, TensorMap& tensors) {
  const double version = static_cast<double>(version_);
  tensors.PutDoubles(kVersion, {&version, 1});
  tensors.PutBytes(kEndedBadly,
                   {reinterpret_cast<const char*>(ended_badly_.data()), ended_badly_.size()});
  normalizers_.Save(tensors);
  return source_.Save(env_state, tensors);
}

absl::Status FragmentCollector::Load(const TensorMap& tensors, uint64_t seed,
                                     absl::Status& env_state_lost) {
  // The run is past them.
  random_frames_ = 0;
  absl::Status status;
  double version = 0;
  // A run that collected otherwise until now has published nothing yet.
  if (tensors.contains(kVersion)) status = tensors.GetDoubles(kVersion, {&version, 1});
  version_ = static_cast<uint64_t>(version);
  if (status.ok()) status = normalizers_.Load(tensors);
  if (status.ok()) status = source_.Load(tensors, seed, env_state_lost);
  if (!status.ok() || !env_state_lost.ok()) return status;
  const absl::StatusOr<std::string> ended_badly = tensors.GetBytes(kEndedBadly);
  if (ended_badly.ok() && ended_badly->size() == ended_badly_.size()) {
    std::copy(ended_badly->begin(), ended_badly->end(), ended_badly_.begin());
  }
  return absl::OkStatus();
}

}  // namespace hivewire
