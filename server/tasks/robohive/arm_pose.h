// "robohive.ArmPose" and "robohive.ArmData": an arm with a hand reaches a pose, or just moves.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ARM_POSE_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ARM_POSE_H_

#include <memory>

#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

TaskClass ArmPoseClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots);
TaskClass ArmDataClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ARM_POSE_H_
