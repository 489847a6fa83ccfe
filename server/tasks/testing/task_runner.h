// Runs one env of a task in a test as a lane of a pool does: rows are loaded and saved around every
// step. No autoreset, no time limit.
#ifndef HIVEWIRE_SERVER_TASKS_TESTING_TASK_RUNNER_H_
#define HIVEWIRE_SERVER_TASKS_TESTING_TASK_RUNNER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/sim/numpy_rng.h"
#include "server/sim/simulation.h"
#include "server/tasks/task.h"

namespace hivewire {

class TaskRunner {
 public:
  explicit TaskRunner(std::shared_ptr<const Task> task);

  // Seeds the generator and starts an episode; without a seed the generator goes on.
  absl::Status Reset(uint64_t seed, const Options& options = {});
  absl::Status ResetOn(const Options& options = {});

  Outcome Step(const std::vector<double>& action, v1::DType dtype = v1::DTYPE_FLOAT32);

  const Task& task() const { return *task_; }
  // Leaves of the last operation, by name. The test fails for a name that the spec lacks.
  std::vector<double> observation(const std::string& name = "observation") const;
  std::vector<double> info(const std::string& name) const;

  const std::vector<double>& state() const { return state_; }
  const NumpyRng& rng() const { return rng_; }
  // Null for a task without a model.
  Simulation* simulation() { return simulation_.get(); }

 private:
  TaskContext Context();
  void Load();
  void Save();

  std::shared_ptr<const Task> task_;
  std::unique_ptr<Simulation> simulation_;
  std::vector<double> row_;
  std::vector<double> state_;
  NumpyRng rng_;
  std::vector<std::vector<double>> observation_, info_;
  std::vector<double*> observation_leaves_, info_leaves_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_TESTING_TASK_RUNNER_H_
