// Hopper and Walker2d: one and two legs that walk in a vertical plane and must not fall.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_PLANAR_WALKER_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_PLANAR_WALKER_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass HopperClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);
TaskClass Walker2dClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_PLANAR_WALKER_H_
