// Gymnasium's classic control suite, bit-equal to gymnasium 1.4.0. No engine: a lane's whole env is
// its task state.
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CLASSIC_CONTROL_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CLASSIC_CONTROL_H_

#include "absl/status/status.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Adds the suite's classes and ids.
absl::Status RegisterClassicControl(Registry& registry);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_CLASSIC_CONTROL_H_
