// InvertedPendulum and InvertedDoublePendulum: balance one pole, or two on top of each other, on a
// cart.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_INVERTED_PENDULUM_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_INVERTED_PENDULUM_H_

#include <memory>

#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

TaskClass InvertedPendulumClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);
TaskClass InvertedDoublePendulumClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_INVERTED_PENDULUM_H_
