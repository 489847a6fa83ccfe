// "robohive.Walk", "robohive.Orient" and "robohive.Stand": what a four-legged robot does.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_QUADRUPED_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_QUADRUPED_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass WalkClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots);
TaskClass OrientClass(std::shared_ptr<RoboHiveLibrary> library,
                      std::shared_ptr<const RobotLibrary> robots);
TaskClass StandClass(std::shared_ptr<RoboHiveLibrary> library,
                     std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_QUADRUPED_H_
