// Plays episodes with a policy's most likely actions.
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
#include "policy/transforms/observations.h"

namespace hivewire {

// Raw returns and lengths, by lane and within a lane by time.
struct Evaluation {
  std::vector<double> returns;
  std::vector<double> lengths;
};

struct Spread {
  double mean = 0;
  double deviation = 0;  // of the population
  double low = 0;
  double high = 0;
};

// `values` not empty.
Spread SpreadOf(absl::Span<const double> values);

// Exactly `episodes` episodes, the same number in each lane (give or take one), lane i's first by
// seed + i: quick failures are not over-counted. `shown` is of this env; `normalizer`
// may be null, and is not changed.
// CANCELLED once `stop` says so.
absl::StatusOr<Evaluation> Evaluate(VectorEnv& env, Observations& shown, const Algorithm& algorithm,
                                    const ActionSpace& action,
                                    const ObservationNormalizer* normalizer, int episodes,
                                    uint64_t seed, const std::function<bool()>& stop);

// {"frames": …, "episodes": …, "return": {"mean": …, "std": …, "min": …, "max": …}, "length": {…},
// "returns": […], "lengths": […]} on several lines.
std::string EvaluationJson(const Evaluation& evaluation, const std::string& env_id, int64_t frames);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_EVALUATION_H_
