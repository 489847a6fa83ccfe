// The presets that are built in: every PresetList in presets/.
//
// Pure functions of files that are part of the program.
#ifndef HIVEWIRE_POLICY_CONFIG_PRESETS_H_
#define HIVEWIRE_POLICY_CONFIG_PRESETS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"

namespace hivewire {

// Stands for the preset that is recommended for the env.
inline constexpr char kRecommended[] = "recommended";

struct PresetSummary {
  std::string name;
  std::string description;
};

// In the order of their files.
std::vector<PresetSummary> PresetSummaries();

// Lays a preset, upon those that it builds on, over `config`. NOT_FOUND names the nearest.
absl::Status MergePreset(const std::string& name, v1::LearnerConfig& config);

// NOT_FOUND where none is recommended for the env, with the nearest envs that one is.
absl::StatusOr<std::string> RecommendedPreset(const std::string& env_id);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CONFIG_PRESETS_H_
