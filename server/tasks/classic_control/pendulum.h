// Pendulum: swing up and hold upright, by a torque that is too weak to do so in one go.
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_PENDULUM_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_PENDULUM_H_

#include "server/tasks/registry.h"

namespace hivewire {

// Option: g. Options of a reset: x_init and y_init, the largest first angle and velocity.
TaskClass PendulumClass();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_PENDULUM_H_
