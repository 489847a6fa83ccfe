// What lanes did by an exported policy, on its way from where it was collected to who learns from
// it: `steps` steps of `num_lanes` lanes, each lane's without a gap.
//
// Plain values, arrays time outermost: lane k's step t is row t * num_lanes + k.
#ifndef HIVEWIRE_POLICY_EXPERIENCE_H_
#define HIVEWIRE_POLICY_EXPERIENCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/rollout.pb.h"

namespace hivewire {

// A finished episode, in raw rewards.
struct EpisodeSummary {
  double episode_return = 0;
  double length = 0;
  // Among those of its collector.
  int lane = 0;
};

// Widths of a row.
struct ExperienceShape {
  int observation_dim = 0;
  size_t action_bytes = 0;
  // Of a policy that remembers.
  size_t memory_width = 0;
};

struct Experience {
  ExperienceShape shape;
  int steps = 0;
  // Numbers of the lanes in the whole run.
  std::vector<int> lanes;
  // The lanes stand at the start of new episodes, whatever they did before.
  bool starts_anew = false;

  // (steps + 1, lanes, observation_dim): what the policy was shown, before its own normaliser; at
  // last what came after the last step.
  std::vector<float> observations;
  // (lanes, memory_width): what the policy remembered before the first step.
  std::vector<float> first_memory;
  // (steps, lanes, action_bytes) as drawn, before they were clipped to a box.
  std::vector<char> actions;
  // (steps, lanes) each.
  std::vector<float> log_probs;
  std::vector<float> rewards;  // raw
  std::vector<uint8_t> terminated;
  std::vector<uint8_t> truncated;
  // 0: the step was none (it only started an episode, or failed).
  std::vector<uint8_t> valid;
  // The lane failed: what it shows after this step is all zero, and nothing.
  std::vector<uint8_t> fault;
  // Which policy chose the action.
  std::vector<uint64_t> versions;

  // Episodes that ended, in each lane by time; `lane` counts over the whole run.
  std::vector<EpisodeSummary> episodes;

  int num_lanes() const { return static_cast<int>(lanes.size()); }
  size_t row(int step, size_t lane) const {
    return static_cast<size_t>(step) * lanes.size() + lane;
  }
  // Makes room for `steps` steps.
  void Resize(int steps);
};

// The lanes of several beside each other, in their order; all of the same shape and steps, but that
// in some nothing may be remembered.
Experience JoinLanes(std::vector<Experience> parts);

// The episodes that ended within the first `steps` steps. A lane may stand there several times, one
// stretch of it after the other.
std::vector<EpisodeSummary> EpisodesWithin(const Experience& experience, int steps);

// As a message, lane k being env_id k (training.proto says what its leaves are).
v1::Fragment ToFragment(const Experience& experience);
// Back, its lanes being first_lane …; DATA_LOSS names what is not as it should be: another shape
// than this (where nothing is remembered yet, a memory may be left out), other lanes, arrays of
// another size, a number that is not finite.
absl::StatusOr<Experience> FromFragment(const v1::Fragment& fragment, const ExperienceShape& shape,
                                        int first_lane, int num_lanes);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_EXPERIENCE_H_
