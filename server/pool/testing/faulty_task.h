// A small task whose action tells it how to behave: a fixture for pools, servers and clients.
//
// The state is a counter; the observation is [counter, seed's first random number, −counter].
// Action values:
//   0 … 99   the counter grows by the value; reward = value
//   100      the episode terminates; reward 1
//   101      throws
//   102      the observation is NaN
//   103      the reward is NaN
//   104      mju_error
//   105      hangs while `*hang` is true
#ifndef HIVEWIRE_SERVER_POOL_TESTING_FAULTY_TASK_H_
#define HIVEWIRE_SERVER_POOL_TESTING_FAULTY_TASK_H_

#include <atomic>
#include <memory>

#include "server/tasks/task.h"

namespace hivewire {

// float64 (3,) observation, float32 (1,) action in [0, 200], info leaf "counter" (set by resets
// too) and "steps" (int64, by steps alone). `max_episode_steps` 0 for none.
std::shared_ptr<const Task> MakeFaultyTask(int max_episode_steps,
                                           std::shared_ptr<std::atomic<bool>> hang = nullptr);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_TESTING_FAULTY_TASK_H_
