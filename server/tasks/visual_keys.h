// Observation leaves that are images, named as RoboHive names them:
//
//   rgb:CAMERA:HEIGHTxWIDTH:ENCODER   (HEIGHT, WIDTH, 3) uint8, top row first; flat for encoder 1d
//   d:CAMERA:HEIGHTxWIDTH:ENCODER     (1, HEIGHT, WIDTH) float32, m along the camera's axis
//
// A camera's name may hold colons. The encoders that RoboHive runs in the env (r3m…, rrl…, vc1…)
// run on the client here, on whole batches: their leaves are the images that they take.
#ifndef HIVEWIRE_SERVER_TASKS_VISUAL_KEYS_H_
#define HIVEWIRE_SERVER_TASKS_VISUAL_KEYS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"
#include "server/tasks/options.h"
#include "server/tasks/task.h"

namespace hivewire {

// visual_keys, by default `keys`, and render_preset.
std::vector<v1::OptionSpec> VisualOptions(const std::vector<std::string>& keys);

// Whether an option called render_preset is "fast", not "exact".
bool IsFast(absl::string_view preset);

// Adds a leaf to `spec` for each of `keys`, and says which they are and how they are drawn.
// BAD_OPTION naming `field` for a key that is none, that stands twice, or whose camera the model
// does not have.
absl::StatusOr<std::vector<ImageLeaf>> AddVisualLeaves(absl::Span<const std::string> keys,
                                                       bool fast, const mjModel& model,
                                                       const std::string& field, v1::EnvSpec& spec);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_VISUAL_KEYS_H_
