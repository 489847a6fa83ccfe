// Plays episodes with a policy, without learning from them.
#ifndef HIVEWIRE_POLICY_EVALUATION_H_
#define HIVEWIRE_POLICY_EVALUATION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/vector_env.h"
#include "policy/algorithm.h"
#include "policy/normalizer.h"
#include "policy/spectator.h"
#include "policy/transforms/observations.h"

namespace hivewire {

// Raw returns, lengths and successes, by lane and within a lane by time.
struct Evaluation {
  std::vector<double> returns;
  std::vector<double> lengths;
  // 0 or 1 each.
  std::vector<double> successes;
  // Whether that is what the env says; else it is by EvaluationOptions::success_return.
  bool env_tells_success = false;
};

struct Spread {
  double mean = 0;
  double deviation = 0;  // of the population
  double low = 0;
  double high = 0;
};

// `values` not empty.
Spread SpreadOf(absl::Span<const double> values);

struct EvaluationOptions {
  int episodes = 1;
  // Lane i's first episode is by seed + i.
  uint64_t seed = 0;
  // Actions are drawn as in training (by `seed`), instead of the most likely ones.
  bool stochastic = false;
  // Where the env does not say whether an episode was a success: it was if its return exceeds this.
  double success_return = 0;
  // None is null.
  std::vector<Spectator*> spectators = {};
};

// Who plays. What is referred to outlives it and is not changed; `normalizer` may be null.
struct Player {
  const Algorithm& algorithm;
  const ActionSpace& action;
  const ObservationNormalizer* normalizer;
};

// Exactly options.episodes episodes, the same number in each lane (give or take one): quick
// failures are not over-counted. `shown` is of this env. CANCELLED once `stop` says so.
absl::StatusOr<Evaluation> Evaluate(VectorEnv& env, Observations& shown, const Player& player,
                                    const EvaluationOptions& options,
                                    const std::function<bool()>& stop);

// What was evaluated, for people and programs.
struct EvaluationLabel {
  std::string env_id;
  // Of training, at the checkpoint.
  int64_t frames = 0;
  // Path; empty where there is none.
  std::string checkpoint = {};
  bool stochastic = false;
};

// {"env": …, "frames": …, "checkpoint": …, "stochastic": …, "episodes": …, "return": {"mean": …,
// "std": …, "min": …, "max": …}, "length": {…}, "success": {"rate": …, "told_by_env": …},
// "returns": […], "lengths": […], "successes": […]} on one line.
std::string EvaluationJson(const Evaluation& evaluation, const EvaluationLabel& label);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_EVALUATION_H_
