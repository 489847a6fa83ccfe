#include "policy/exported_actor.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr char kSteps[] = "collector.steps";
constexpr char kMemory[] = "collector.memory";

// SplitMix64's mixing function (Steele, Lea, Flood 2014).
uint64_t Mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t PolicySeed(uint64_t run_seed, uint64_t nth) { return Mixed(Mixed(run_seed + 1) + nth); }

ExportedActor::ExportedActor(const ActionSpace& action, int observation_dim, int first_lane,
                             int num_lanes, uint64_t seed)
    : action_(action),
      first_lane_(first_lane),
      seed_(seed),
      steps_(static_cast<size_t>(num_lanes)),
      steps_ever_(static_cast<size_t>(num_lanes)) {
  experience_.shape = {observation_dim, action.row_bytes()};
  experience_.lanes.resize(static_cast<size_t>(num_lanes));
  std::iota(experience_.lanes.begin(), experience_.lanes.end(), first_lane);
}

void ExportedActor::Begin(int steps, std::function<PolicyPointer()> policy) {
  policy_ = std::move(policy);
  experience_.starts_anew = std::exchange(fresh_, false);
  experience_.Resize(steps);
  experience_.first_memory = memory_;
  std::fill(steps_.begin(), steps_.end(), 0);
}

absl::Status ExportedActor::Act(LaneRange lanes, absl::Span<const float> observations,
                                absl::Span<char> actions) {
  const PolicyPointer acting = policy_();
  const PortablePolicy* policy = &acting->portable();
  const auto rows = static_cast<size_t>(lanes.count);
  const auto dim = static_cast<size_t>(experience_.shape.observation_dim);
  if (policy->observation_dim() != dim ||
      policy->action_dim() != static_cast<size_t>(action_.dim())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "policy ", policy->version(), " is for ", policy->observation_dim(), " observations and ",
        policy->action_dim(), " action elements; the env has ", dim, " and ", action_.dim()));
  }
  RememberAs(*policy);
  policy->Reserve(rows, scratch_);
  const absl::Span<float> memory = MemoryOf(lanes);
  std::copy(memory.begin(), memory.end(), scratch_.memory.begin());
  std::copy(observations.begin(), observations.end(), scratch_.observations.begin());
  draws_.clear();
  for (int lane = lanes.first; lane < lanes.first + lanes.count; ++lane) {
    draws_.push_back({seed_, static_cast<uint32_t>(first_lane_ + lane),
                      steps_ever_[static_cast<size_t>(lane)]++});
  }
  if (absl::Status status = acting->Act(draws_, scratch_); !status.ok()) return status;
  for (size_t row = 0; row < rows; ++row) {
    if (policy->AllFinite(row, scratch_)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("policy ", policy->version(), " gives numbers that are not finite"));
  }

  std::copy_n(scratch_.memory.begin(), memory.size(), memory.begin());
  const size_t elements = rows * static_cast<size_t>(action_.dim());
  action_.WriteNumbers(absl::MakeConstSpan(scratch_.sent).first(elements), actions);
  const size_t at =
      experience_.row(steps_[static_cast<size_t>(lanes.first)], static_cast<size_t>(lanes.first));
  action_.WriteNumbers(absl::MakeConstSpan(scratch_.chosen).first(elements),
                       absl::MakeSpan(experience_.actions)
                           .subspan(at * action_.row_bytes(), rows * action_.row_bytes()));
  std::copy(observations.begin(), observations.end(), experience_.observations.begin() + at * dim);
  std::copy_n(scratch_.log_probs.begin(), rows, experience_.log_probs.begin() + at);
  std::fill_n(experience_.versions.begin() + at, rows, policy->version());
  return absl::OkStatus();
}

absl::Status ExportedActor::Record(LaneRange lanes, const Transitions& transitions) {
  const int step = steps_[static_cast<size_t>(lanes.first)];
  const auto first = static_cast<size_t>(lanes.first);
  const auto put = [&](absl::Span<const uint8_t> part, std::vector<uint8_t>& all) {
    std::copy(part.begin(), part.end(), all.begin() + experience_.row(step, first));
  };
  put(transitions.terminated, experience_.terminated);
  put(transitions.truncated, experience_.truncated);
  put(transitions.valid, experience_.valid);
  put(transitions.fault, experience_.fault);
  std::copy(transitions.rewards.begin(), transitions.rewards.end(),
            experience_.rewards.begin() + experience_.row(step, first));
  std::copy(transitions.next_observations.begin(), transitions.next_observations.end(),
            experience_.observations.begin() +
                experience_.row(step + 1, first) *
                    static_cast<size_t>(experience_.shape.observation_dim));
  for (int lane = 0; lane < lanes.count; ++lane) {
    ++steps_[first + static_cast<size_t>(lane)];
    if (transitions.valid[static_cast<size_t>(lane)]) continue;
    const absl::Span<float> memory = MemoryOf({lanes.first + lane, 1});
    std::fill(memory.begin(), memory.end(), 0.0f);
  }
  return absl::OkStatus();
}

void ExportedActor::StartEpisodes(LaneRange lanes) {
  const absl::Span<float> memory = MemoryOf(lanes);
  std::fill(memory.begin(), memory.end(), 0.0f);
}

void ExportedActor::RememberAs(const PortablePolicy& policy) {
  const size_t elements = policy.memory_width() * experience_.lanes.size();
  if (memory_.size() != elements) memory_.assign(elements, 0.0f);
  if (experience_.shape.memory_width == policy.memory_width()) return;
  experience_.shape.memory_width = policy.memory_width();
  experience_.first_memory = memory_;
}

absl::Span<float> ExportedActor::MemoryOf(LaneRange lanes) {
  const size_t width = memory_.size() / experience_.lanes.size();
  return absl::MakeSpan(memory_).subspan(static_cast<size_t>(lanes.first) * width,
                                         static_cast<size_t>(lanes.count) * width);
}

int ExportedActor::StepsUntilUpdate() const {
  return experience_.steps - *std::min_element(steps_.begin(), steps_.end());
}

Experience ExportedActor::Take() {
  Experience taken = experience_;
  experience_.episodes.clear();
  return taken;
}

void ExportedActor::Save(TensorMap& tensors) const {
  tensors.PutBytes(kSteps, {reinterpret_cast<const char*>(steps_ever_.data()),
                            steps_ever_.size() * sizeof(uint64_t)});
  if (memory_.empty()) return;
  tensors.PutBytes(kMemory,
                   {reinterpret_cast<const char*>(memory_.data()), memory_.size() * sizeof(float)});
}

absl::Status ExportedActor::Load(const TensorMap& tensors) {
  const absl::StatusOr<std::string> bytes = tensors.GetBytes(kSteps);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() != steps_ever_.size() * sizeof(uint64_t)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the checkpoint is of another number of lanes than ", steps_ever_.size()));
  }
  std::memcpy(steps_ever_.data(), bytes->data(), bytes->size());
  fresh_ = false;
  memory_.clear();
  if (!tensors.contains(kMemory)) return absl::OkStatus();
  const absl::StatusOr<std::string> memory = tensors.GetBytes(kMemory);
  if (!memory.ok()) return memory.status();
  const size_t row_bytes = steps_ever_.size() * sizeof(float);
  if (memory->size() % row_bytes != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("tensor \"", kMemory, "\" is not of ", steps_ever_.size(), " lanes"));
  }
  memory_.resize(memory->size() / sizeof(float));
  std::memcpy(memory_.data(), memory->data(), memory->size());
  return absl::OkStatus();
}

}  // namespace hivewire
