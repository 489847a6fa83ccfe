// Envs without code: a MuJoCo model, and terms that say what is seen, rewarded and when it ends
// (ComposedEnv in config.proto).
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_H_

#include "absl/status/status.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Adds the class "composed". Its ids come from asset roots.
absl::Status RegisterComposed(Registry& registry);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_H_
