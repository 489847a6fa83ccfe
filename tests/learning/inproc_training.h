// Small training runs on real envs in this very process, for tests of what a run leaves behind.
#ifndef HIVEWIRE_TESTS_LEARNING_INPROC_TRAINING_H_
#define HIVEWIRE_TESTS_LEARNING_INPROC_TRAINING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/checkpoint/checkpoint.h"
#include "policy/run_folder.h"
#include "policy/session.h"
#include "server/pool/workers.h"

namespace hivewire {

class InprocTraining {
 public:
  static constexpr int kLanes = 6;
  // Frames of one update.
  static constexpr int kUpdate = 32 * kLanes;

  // Of four updates, without checkpoints in between and without evaluations.
  explicit InprocTraining(const std::string& env_id);

  // "path=value", each.
  void Set(const std::vector<std::string>& overrides);

  // Trains until `frames` (or the run's end), from `from` where it is not null, in a folder of this
  // name under the test's own; the folder is emptied before a run that starts anew.
  RunFolder Train(const std::string& name, int64_t frames, const Checkpoint* from = nullptr);
  // The same, and the last checkpoint that it leaves.
  Checkpoint TrainTo(const std::string& name, int64_t frames, const Checkpoint* from = nullptr);

  v1::LearnerConfig& config() { return config_; }
  const Reach& reach() const { return reach_; }

 private:
  Workers workers_;
  Reach reach_;
  v1::LearnerConfig config_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_LEARNING_INPROC_TRAINING_H_
