// Names for the elements of observations that are made of whole arrays of the engine.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// qpos: the joint's name, "root.x" … "root.qz" for a free joint.
std::vector<std::string> PositionNames(const mjModel& model);
// qvel and other arrays over degrees of freedom: "hip.velocity", "root.velocity.wx".
std::vector<std::string> DofNames(const mjModel& model, absl::string_view quantity);
// qpos without its first `skipped` elements, then qvel.
std::vector<std::string> StateNames(const mjModel& model, int skipped);
// Arrays over bodies from number `first` on: "torso.cvel.wx".
std::vector<std::string> BodyNames(const mjModel& model, int first, absl::string_view quantity,
                                   absl::Span<const absl::string_view> parts);
// Controls: the actuator's name, or that of the joint it drives.
std::vector<std::string> ActuatorNames(const mjModel& model);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_
