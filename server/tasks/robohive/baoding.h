// "robohive.Baoding": a hand turns two balls around each other.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_BAODING_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_BAODING_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass BaodingClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_BAODING_H_
