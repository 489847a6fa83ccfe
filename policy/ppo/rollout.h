// What the lanes did since the last update: rows by step, columns by lane, on the CPU.
//
// Lanes may have taken different numbers of steps. Where the policy acted elsewhere, the
// log-probability of each action is kept too. A plain value; not thread-safe.
#ifndef HIVEWIRE_POLICY_PPO_ROLLOUT_H_
#define HIVEWIRE_POLICY_PPO_ROLLOUT_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "policy/algorithm.h"
#include "policy/ppo/gae.h"

namespace hivewire {

class Rollout {
 public:
  // `action_dim` floats an action; a choice is kept as one.
  Rollout(int max_steps, int num_lanes, int observation_dim, int action_dim);

  void Clear();
  // Steps that every lane still has to take.
  int StepsLeft() const;
  // Whether these lanes are at the same step, and may take another.
  bool CanStep(LaneRange lanes) const;

  // Keeps what the lanes see and do in their present step; actions (count, action_dim).
  void PutActions(LaneRange lanes, absl::Span<const float> observations,
                  absl::Span<const float> actions);
  // Of actions chosen elsewhere, beside PutActions.
  void PutLogProbs(LaneRange lanes, absl::Span<const float> log_probs);
  // Whether the steps so far have them.
  bool has_log_probs() const { return has_log_probs_; }
  // Keeps what came of it, and moves the lanes on.
  void PutTransitions(LaneRange lanes, const Transitions& transitions);

  int num_lanes() const { return num_lanes_; }
  // Of the lane that has taken most.
  int steps() const;
  // Row t of lane n is at index(t, n) of each array; observations have one row more, for what comes
  // after the last step.
  size_t index(int step, int lane) const { return static_cast<size_t>(step) * num_lanes_ + lane; }
  std::vector<float>& observations() { return observations_; }
  std::vector<float>& actions() { return actions_; }
  // Where has_log_probs().
  std::vector<float>& log_probs() { return log_probs_; }
  // The indices of all valid steps, rising.
  std::vector<int64_t> ValidSteps() const;

  // `values` of every row of observations() up to steps() inclusive → advantages by index.
  std::vector<float> Advantages(absl::Span<const float> values, const GaeOptions& options) const;

 private:
  int max_steps_;
  int num_lanes_;
  int observation_dim_;
  int action_dim_;
  std::vector<int> lane_steps_;
  std::vector<float> observations_;
  std::vector<float> actions_;
  bool has_log_probs_ = false;
  std::vector<float> log_probs_;
  std::vector<float> rewards_;
  std::vector<uint8_t> terminated_;
  std::vector<uint8_t> truncated_;
  std::vector<uint8_t> valid_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_ROLLOUT_H_
