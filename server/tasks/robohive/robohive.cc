#include "server/tasks/robohive/robohive.h"

#include <memory>
#include <string>
#include <utility>

#include "server/tasks/robohive/adroit.h"
#include "server/tasks/robohive/arm_pose.h"
#include "server/tasks/robohive/baoding.h"
#include "server/tasks/robohive/ids.h"
#include "server/tasks/robohive/kitchen.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/push.h"
#include "server/tasks/robohive/quadruped.h"
#include "server/tasks/robohive/reach.h"
#include "server/tasks/robohive/reorient.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

absl::Status RegisterRoboHive(Registry& registry) {
  auto robots = RobotLibrary::Create();
  if (!robots.ok()) return robots.status();
  const auto shared_robots = std::make_shared<const RobotLibrary>(*std::move(robots));
  const auto library = std::make_shared<RoboHiveLibrary>();
  for (const auto make : {ReachClass, PushClass, PickPlaceClass, KitchenClass, DoorClass,
                          HammerClass, PenClass, RelocateClass, BaodingClass, ReorientClass,
                          WalkClass, OrientClass, StandClass, ArmPoseClass, ArmDataClass}) {
    const absl::Status status = registry.AddClass(make(library, shared_robots));
    if (!status.ok()) return status;
  }
  for (const EmbeddedFile& file : RoboHiveIds()) {
    const absl::Status status = registry.AddFile(std::string(file.name), std::string(file.content));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
