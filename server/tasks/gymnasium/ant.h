// Ant: walk forward on four legs.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_ANT_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_ANT_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass AntClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_ANT_H_
