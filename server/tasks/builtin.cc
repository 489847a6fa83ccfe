#include "absl/status/statusor.h"
#include "server/tasks/classic_control/classic_control.h"
#include "server/tasks/composed/composed.h"
#include "server/tasks/gymnasium/gymnasium.h"
#include "server/tasks/registry.h"
#include "server/tasks/robohive/robohive.h"

namespace hivewire {

absl::StatusOr<Registry> Registry::Builtin() {
  Registry registry;
  for (const auto add :
       {RegisterClassicControl, RegisterComposed, RegisterGymnasium, RegisterRoboHive}) {
    const absl::Status status = add(registry);
    if (!status.ok()) return status;
  }
  return registry;
}

}  // namespace hivewire
