#include "server/tasks/classic_control/classic_control.h"

#include <string>

#include "server/tasks/classic_control/acrobot.h"
#include "server/tasks/classic_control/cart_pole.h"
#include "server/tasks/classic_control/ids.h"
#include "server/tasks/classic_control/mountain_car.h"
#include "server/tasks/classic_control/pendulum.h"

namespace hivewire {

absl::Status RegisterClassicControl(Registry& registry) {
  for (TaskClass task_class : {AcrobotClass(), CartPoleClass(), MountainCarClass(),
                               MountainCarContinuousClass(), PendulumClass()}) {
    const absl::Status status = registry.AddClass(std::move(task_class));
    if (!status.ok()) return status;
  }
  for (const EmbeddedFile& file : ClassicControlIds()) {
    const absl::Status status = registry.AddFile(std::string(file.name), std::string(file.content));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
