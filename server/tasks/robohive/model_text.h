// RoboHive's models as one MJCF text each: what a model includes stands in its place, and what
// MuJoCo 3.17 no longer takes is changed on the way. Nobody's files are touched.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_TEXT_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

// The whole models of robohive 0.7.0 that are built into this program, in alphabetical order:
// "arms/franka/assets/franka_reach_v0.xml", …
std::vector<std::string> RoboHiveModels();

// The text of one of them. `simhive` is what FindSimHive gave; paths to meshes and textures lead
// there. UNIMPLEMENTED (NOT_SUPPORTED) naming an included file that is missing there.
absl::StatusOr<std::string> RoboHiveModelText(absl::string_view model, const std::string& simhive);

// MJCF as MuJoCo writes it, with the body `donor` made the last child of the body `receiver`.
// INVALID_ARGUMENT (BAD_MODEL) where one of them is missing.
absl::StatusOr<std::string> MoveBody(const std::string& xml, absl::string_view donor,
                                     absl::string_view receiver);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_TEXT_H_
