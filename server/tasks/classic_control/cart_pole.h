// CartPole: keep a pole upright on a cart (Barto, Sutton and Anderson, 1983).
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CART_POLE_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CART_POLE_H_

#include "server/tasks/registry.h"

namespace hivewire {

// Option: sutton_barto_reward. Options of a reset: low and high of the uniform start.
TaskClass CartPoleClass();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CART_POLE_H_
