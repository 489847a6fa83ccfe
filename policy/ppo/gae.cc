#include "policy/ppo/gae.h"

namespace hivewire {

void ComputeAdvantages(const LaneSteps& lane, const GaeOptions& options, float* advantages) {
  const float gamma = static_cast<float>(options.gamma);
  const float gamma_lambda = static_cast<float>(options.gamma * options.lambda);
  float next_value = lane.last_value;
  float next_advantage = 0;
  for (int t = lane.steps - 1; t >= 0; --t) {
    const ptrdiff_t at = t * lane.stride;
    const float value = lane.values[at];
    float advantage = 0;
    if (lane.valid[at]) {
      const bool ends = lane.terminated[at] || lane.truncated[at];
      const bool worth_nothing_after =
          lane.terminated[at] || (lane.truncated[at] && !options.bootstrap_at_time_limit);
      advantage = lane.rewards[at] - value;
      if (!worth_nothing_after) advantage += gamma * next_value;
      if (!ends) advantage += gamma_lambda * next_advantage;
    }
    advantages[at] = advantage;
    next_advantage = advantage;
    next_value = value;
  }
}

}  // namespace hivewire
