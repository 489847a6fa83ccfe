// "robohive.Push" and "robohive.PickPlace": an arm brings an object to a target.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_PUSH_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_PUSH_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass PushClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots);
TaskClass PickPlaceClass(std::shared_ptr<RoboHiveLibrary> library,
                         std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_PUSH_H_
