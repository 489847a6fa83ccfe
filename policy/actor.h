// An Actor chooses what lanes do and hears what came of it: what a StepCollector steps its envs
// with. A learner's Algorithm is one; so is a policy that somebody else learns (exported_actor.h).
//
// Who calls whom: for a range of lanes Act with their observations, the step, then Record; ranges
// may be interleaved, each strictly Act, Record, Act, … One thread at a time.
#ifndef HIVEWIRE_POLICY_ACTOR_H_
#define HIVEWIRE_POLICY_ACTOR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hivewire {

// Lanes first … first + count − 1.
struct LaneRange {
  int first = 0;
  int count = 0;
};

// One step of each lane of a range, in order. Observations and rewards are normalised already.
struct Transitions {
  // (count, observation_dim), after the step; of an episode that ended: its last.
  absl::Span<const float> next_observations;
  absl::Span<const float> rewards;
  absl::Span<const uint8_t> terminated;
  absl::Span<const uint8_t> truncated;
  // 0: the step was none (the lane only started an episode, or failed). Nothing may be learned from
  // it, and returns do not reach across it.
  absl::Span<const uint8_t> valid;
  // Of a StepCollector: the step was none because the lane failed; next_observations is all zero.
  absl::Span<const uint8_t> fault = {};
};

class Actor {
 public:
  virtual ~Actor() = default;

  // Chooses an action for each row of `observations` (lanes.count, observation_dim) and writes it
  // as the env takes it, (lanes.count, action.row_bytes()).
  virtual absl::Status Act(LaneRange lanes, absl::Span<const float> observations,
                           absl::Span<char> actions) = 0;
  virtual absl::Status Record(LaneRange lanes, const Transitions& transitions) = 0;

  // These lanes stand at the start of new episodes, which no Record tells of: at the start of a
  // run, or after the pools were lost. Policies that remember forget.
  virtual void StartEpisodes(LaneRange) {}

  // Steps that every lane still has to take before what was recorded is used.
  virtual int StepsUntilUpdate() const = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_ACTOR_H_
