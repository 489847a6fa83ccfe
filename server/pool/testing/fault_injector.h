// A real task that fails on demand: the first element of the action tells how. Otherwise it is the
// task that it wraps, to the last bit.
//
//   1001  throws between two steps of the engine
//   1002  leaves NaN in the engine's positions
//   1003  the reward is NaN
//   1004  mju_error in the middle of a step
//   1005  overwrites the engine's velocities and controls, then throws
#ifndef HIVEWIRE_SERVER_POOL_TESTING_FAULT_INJECTOR_H_
#define HIVEWIRE_SERVER_POOL_TESTING_FAULT_INJECTOR_H_

#include <memory>

#include "server/tasks/task.h"

namespace hivewire {

// `task` has a model.
std::shared_ptr<const Task> InjectFaults(std::shared_ptr<const Task> task);

inline constexpr float kFirstFault = 1001;
inline constexpr int kNumFaults = 5;

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_TESTING_FAULT_INJECTOR_H_
