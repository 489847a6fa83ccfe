#include "server/tasks/composed/composed.h"

#include <memory>
#include <utility>

#include "server/tasks/composed/composed_task.h"

namespace hivewire {

absl::Status RegisterComposed(Registry& registry) {
  auto robots = RobotLibrary::Create();
  if (!robots.ok()) return robots.status();
  const ComposedTask::Libraries libraries{std::make_shared<RoboHiveLibrary>(),
                                          std::make_shared<const RobotLibrary>(*std::move(robots))};
  return registry.AddClass({.name = "composed",
                            .options = {},
                            .make = [libraries](const v1::EnvEntry& entry, const Options&) {
                              return ComposedTask::Make(entry, libraries);
                            }});
}

}  // namespace hivewire
