#include "policy/ppo/rollout.h"

#include <algorithm>

namespace hivewire {

Rollout::Rollout(int max_steps, int num_lanes, int observation_dim, int action_dim)
    : max_steps_(max_steps),
      num_lanes_(num_lanes),
      observation_dim_(observation_dim),
      action_dim_(action_dim),
      lane_steps_(num_lanes, 0) {
  const size_t rows = index(max_steps, 0);
  observations_.resize((rows + num_lanes) * observation_dim);
  actions_.resize(rows * action_dim);
  rewards_.resize(rows);
  terminated_.resize(rows);
  truncated_.resize(rows);
  valid_.resize(rows);
}

void Rollout::Clear() {
  std::fill(lane_steps_.begin(), lane_steps_.end(), 0);
  has_log_probs_ = false;
}

int Rollout::StepsLeft() const {
  return max_steps_ - *std::min_element(lane_steps_.begin(), lane_steps_.end());
}

int Rollout::steps() const { return *std::max_element(lane_steps_.begin(), lane_steps_.end()); }

bool Rollout::CanStep(LaneRange lanes) const {
  if (lanes.first < 0 || lanes.count < 1 || lanes.first + lanes.count > num_lanes_) return false;
  const auto first = lane_steps_.begin() + lanes.first;
  const int step = *first;
  return step < max_steps_ &&
         std::all_of(first, first + lanes.count, [step](int other) { return other == step; });
}

void Rollout::PutActions(LaneRange lanes, absl::Span<const float> observations,
                         absl::Span<const float> actions) {
  const size_t at = index(lane_steps_[lanes.first], lanes.first);
  std::copy(observations.begin(), observations.end(),
            observations_.begin() + at * observation_dim_);
  std::copy(actions.begin(), actions.end(), actions_.begin() + at * action_dim_);
}

void Rollout::PutLogProbs(LaneRange lanes, absl::Span<const float> log_probs) {
  has_log_probs_ = true;
  log_probs_.resize(rewards_.size());
  const size_t at = index(lane_steps_[lanes.first], lanes.first);
  std::copy(log_probs.begin(), log_probs.end(), log_probs_.begin() + at);
}

void Rollout::PutTransitions(LaneRange lanes, const Transitions& transitions) {
  const int step = lane_steps_[lanes.first];
  const size_t at = index(step, lanes.first);
  std::copy(transitions.rewards.begin(), transitions.rewards.end(), rewards_.begin() + at);
  std::copy(transitions.terminated.begin(), transitions.terminated.end(), terminated_.begin() + at);
  std::copy(transitions.truncated.begin(), transitions.truncated.end(), truncated_.begin() + at);
  std::copy(transitions.valid.begin(), transitions.valid.end(), valid_.begin() + at);
  std::copy(transitions.next_observations.begin(), transitions.next_observations.end(),
            observations_.begin() + index(step + 1, lanes.first) * observation_dim_);
  for (int lane = lanes.first; lane < lanes.first + lanes.count; ++lane) ++lane_steps_[lane];
}

std::vector<int64_t> Rollout::ValidSteps() const {
  std::vector<int64_t> indices;
  indices.reserve(valid_.size());
  for (int step = 0; step < max_steps_; ++step) {
    for (int lane = 0; lane < num_lanes_; ++lane) {
      const size_t at = index(step, lane);
      if (step < lane_steps_[lane] && valid_[at]) indices.push_back(static_cast<int64_t>(at));
    }
  }
  return indices;
}

std::vector<float> Rollout::Advantages(absl::Span<const float> values,
                                       const GaeOptions& options) const {
  std::vector<float> advantages(rewards_.size());
  for (int lane = 0; lane < num_lanes_; ++lane) {
    const int steps = lane_steps_[lane];
    if (steps == 0) continue;
    const LaneSteps lane_steps = {.steps = steps,
                                  .stride = num_lanes_,
                                  .rewards = &rewards_[lane],
                                  .values = &values[lane],
                                  .terminated = &terminated_[lane],
                                  .truncated = &truncated_[lane],
                                  .valid = &valid_[lane],
                                  .last_value = values[index(steps, lane)]};
    ComputeAdvantages(lane_steps, options, &advantages[lane]);
  }
  return advantages;
}

}  // namespace hivewire
