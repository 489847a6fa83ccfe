// Every algorithm that a config can ask for.
#include "absl/status/status.h"
#include "policy/algorithm.h"
#include "policy/ppo/ppo.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Algorithm>> MakeAlgorithm(const v1::LearnerConfig& config,
                                                         const Problem& problem) {
  switch (config.algorithm_case()) {
    case v1::LearnerConfig::kPpo:
    case v1::LearnerConfig::ALGORITHM_NOT_SET:
      return MakePpo(config, problem);
  }
  return absl::InvalidArgumentError("the config names no algorithm");
}

}  // namespace hivewire
