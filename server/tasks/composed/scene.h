// What the terms of a composed env look at.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_SCENE_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_SCENE_H_

#include <mujoco/mujoco.h>

#include "absl/types/span.h"

namespace hivewire {

struct Scene {
  const mjModel* model;
  const mjData* data;
  absl::Span<const double> action;
  absl::Span<const double> previous_action;
};

// How far the engine must have computed, from the state, before a quantity can be read. Each level
// includes those before it.
enum class Depth {
  kState,     // qpos, qvel, ctrl, time: nothing to compute
  kPosition,  // places of bodies, sites and geoms
  kVelocity,  // their velocities
  kForce,     // forces and sensors
};

// Brings `data` to `depth`: mj_step leaves what it derived from the state before its last step.
void Refresh(const mjModel* model, mjData* data, Depth depth);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_SCENE_H_
