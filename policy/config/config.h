// Where a LearnerConfig comes from: defaults, then a preset, then a file, then single overrides.
#ifndef HIVEWIRE_POLICY_CONFIG_CONFIG_H_
#define HIVEWIRE_POLICY_CONFIG_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/learner.pb.h"

namespace hivewire {

// Values of collection.mode.
inline constexpr char kSteps[] = "steps";
inline constexpr char kCollectors[] = "collectors";
inline constexpr char kRemotePolicy[] = "remote-policy";

struct ConfigSources {
  // Names of presets, comma-separated, each laid over those before; empty for none. "recommended"
  // is the one that is recommended for the env.
  std::string preset;
  // Path of a textproto LearnerConfig; empty for none.
  std::string file;
  // "path=value" each, in order (see overrides.h).
  std::vector<std::string> overrides;
};

// The sources laid over one another, each later one before the earlier. Errors name the source, and
// the line or the path.
absl::StatusOr<v1::LearnerConfig> LoadConfig(const ConfigSources& sources);

// Every field set, those that were not to their defaults: what a run folder keeps. Where no
// algorithm was chosen, PPO is.
v1::LearnerConfig WithDefaults(const v1::LearnerConfig& config);

// INVALID_ARGUMENT for a field out of range that no algorithm, model or distribution checks itself.
absl::Status ValidateConfig(const v1::LearnerConfig& config);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CONFIG_CONFIG_H_
