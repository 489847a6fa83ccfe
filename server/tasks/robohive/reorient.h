// "robohive.Reorient": a claw brings an object into a pose.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_REORIENT_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_REORIENT_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass ReorientClass(std::shared_ptr<RoboHiveLibrary> library,
                        std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_REORIENT_H_
