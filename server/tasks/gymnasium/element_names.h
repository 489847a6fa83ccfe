// Names and units for the elements of observations that are made of whole arrays of the engine.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

struct Element {
  std::string name;
  std::string unit;  // SI; empty for none
};
using Elements = std::vector<Element>;

// What arrays over degrees of freedom hold, and its unit along and about an axis.
struct DofQuantity {
  absl::string_view name;
  absl::string_view linear_unit, angular_unit;
};
inline constexpr DofQuantity kVelocity = {"velocity", "m/s", "rad/s"};
inline constexpr DofQuantity kActuatorForce = {"actuator_force", "N", "N·m"};
inline constexpr DofQuantity kConstraintForce = {"constraint_force", "N", "N·m"};

// A part of what arrays over bodies hold for each.
struct BodyPart {
  absl::string_view name, unit;
};

// qpos: the joint's name, "root.x" … "root.qz" for a free joint.
Elements PositionElements(const mjModel& model);
// "hip.velocity", "root.velocity.wx".
Elements DofElements(const mjModel& model, const DofQuantity& quantity);
// qpos without its first `skipped` elements, then qvel.
Elements StateElements(const mjModel& model, int skipped);
// Arrays over bodies from number `first` on: "torso.cvel.wx".
Elements BodyElements(const mjModel& model, int first, absl::string_view quantity,
                      absl::Span<const BodyPart> parts);
// Controls: the actuator's name, or that of the joint it drives.
std::vector<std::string> ActuatorNames(const mjModel& model);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_ELEMENT_NAMES_H_
