// "robohive.Kitchen": an arm opens, closes and turns what a kitchen has, or one appliance.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_KITCHEN_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_KITCHEN_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass KitchenClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_KITCHEN_H_
