// Reacher and Pusher: an arm that brings its fingertip to a target, or an object to a goal.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_REACHING_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_REACHING_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass ReacherClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);
TaskClass PusherClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_REACHING_H_
