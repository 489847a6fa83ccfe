// Generalised advantage estimation (Schulman et al. 2016) along one lane.
//
// A pure function. `bootstrap_at_time_limit` says what a truncated step is followed by: the value
// of the episode's last observation, or nothing.
#ifndef HIVEWIRE_POLICY_PPO_GAE_H_
#define HIVEWIRE_POLICY_PPO_GAE_H_

#include <cstddef>
#include <cstdint>

namespace hivewire {

struct GaeOptions {
  double gamma = 0.99;
  double lambda = 0.95;
  bool bootstrap_at_time_limit = true;
};

// `steps` steps of a lane; each array's element t lies at [t * stride].
struct LaneSteps {
  int steps = 0;
  ptrdiff_t stride = 1;
  const float* rewards = nullptr;
  // Of the observation that step t acted on. After an episode's end that is its last observation
  // (autoreset comes a step later), so values[t + 1] is what a truncated step t bootstraps from.
  const float* values = nullptr;
  const uint8_t* terminated = nullptr;
  const uint8_t* truncated = nullptr;
  const uint8_t* valid = nullptr;
  // Of the observation after the last step.
  float last_value = 0;
};

// Fills advantages[t * stride]; 0 where step t is not valid.
void ComputeAdvantages(const LaneSteps& lane, const GaeOptions& options, float* advantages);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_GAE_H_
