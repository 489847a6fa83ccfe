// "robohive.Reach": an arm brings its gripper to a target.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_REACH_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_REACH_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass ReachClass(std::shared_ptr<RoboHiveLibrary> library,
                     std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_REACH_H_
