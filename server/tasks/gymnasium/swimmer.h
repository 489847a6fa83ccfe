// Swimmer: a chain that swims forward in a viscous fluid.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_SWIMMER_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_SWIMMER_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass SwimmerClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_SWIMMER_H_
