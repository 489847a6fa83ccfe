// MountainCar: drive out of a valley with an engine too weak for the slope (Moore, 1990), with
// discrete pushes or a continuous force.
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_MOUNTAIN_CAR_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_MOUNTAIN_CAR_H_

#include "server/tasks/registry.h"

namespace hivewire {

// Option of both: goal_velocity. Options of a reset: low and high of the first position.
TaskClass MountainCarClass();
TaskClass MountainCarContinuousClass();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_MOUNTAIN_CAR_H_
