#include "server/tasks/composed/composed.h"

#include "server/tasks/composed/composed_task.h"

namespace hivewire {

absl::Status RegisterComposed(Registry& registry) {
  return registry.AddClass(
      {.name = "composed", .options = {}, .make = [](const v1::EnvEntry& entry, const Options&) {
         return ComposedTask::Make(entry);
       }});
}

}  // namespace hivewire
