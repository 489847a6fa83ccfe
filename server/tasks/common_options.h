// Options that every env has, whatever its class: what is left out of its observation, how often an
// action is repeated, and its time limit.
#ifndef HIVEWIRE_SERVER_TASKS_COMMON_OPTIONS_H_
#define HIVEWIRE_SERVER_TASKS_COMMON_OPTIONS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/options.h"
#include "server/tasks/task.h"

namespace hivewire {

// observation_mask, action_repeat, max_episode_steps.
std::vector<v1::OptionSpec> CommonOptions();

// `task` as these options change it; itself where they change nothing. `options` are resolved.
// BAD_OPTION for a mask that does not fit the task's observation.
//
// One step then takes `action_repeat` steps of the task, or fewer where it terminates; the rewards
// are added up, observation and info are those of the last. The time limit counts actions: the
// task's own is divided by action_repeat, rounded up, so that an episode lasts as long as before.
absl::StatusOr<std::shared_ptr<const Task>> ApplyCommonOptions(std::shared_ptr<const Task> task,
                                                               const Options& options);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMMON_OPTIONS_H_
