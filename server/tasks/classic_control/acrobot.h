// Acrobot: swing the end of a two-link arm above a line, by a torque between the links (Sutton,
// 1996).
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_ACROBOT_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_ACROBOT_H_

#include "server/tasks/registry.h"

namespace hivewire {

// No options. Options of a reset: low and high of the uniform start.
TaskClass AcrobotClass();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_ACROBOT_H_
