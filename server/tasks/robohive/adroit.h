// "robohive.Door", "robohive.Hammer", "robohive.Pen" and "robohive.Relocate": what a hand does.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ADROIT_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ADROIT_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass DoorClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots);
TaskClass HammerClass(std::shared_ptr<RoboHiveLibrary> library,
                      std::shared_ptr<const RobotLibrary> robots);
TaskClass PenClass(std::shared_ptr<RoboHiveLibrary> library,
                   std::shared_ptr<const RobotLibrary> robots);
TaskClass RelocateClass(std::shared_ptr<RoboHiveLibrary> library,
                        std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ADROIT_H_
