// Humanoid and HumanoidStandup: walk forward, and get up from lying on the back.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_HUMANOID_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_HUMANOID_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass HumanoidClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);
TaskClass HumanoidStandupClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_HUMANOID_H_
