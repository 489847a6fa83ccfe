// Collecting and learning in turn, as a Trainer does it, without its files and reports: what the
// benches of learners time.
//
// One thread at a time.
#ifndef HIVEWIRE_TESTS_BENCH_LEARNING_LOOP_H_
#define HIVEWIRE_TESTS_BENCH_LEARNING_LOOP_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/vector_env.h"
#include "client/vector_rollout.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"
#include "policy/collector_interface.h"
#include "policy/fragment_source.h"

namespace hivewire {

// What chooses the actions.
enum class Chooser {
  kLibTorch,  // the algorithm itself
  kPortable,  // the policy that it exports, in this process
  kServer,    // that policy, in the env server
};

class LearningLoop {
 public:
  // The lanes of `config`, at the start of their first episodes.
  static absl::StatusOr<std::unique_ptr<LearningLoop>> Make(const v1::LearnerConfig& config,
                                                            Chooser chooser);

  // All steps that an update learns from; how many.
  absl::StatusOr<int64_t> Collect();
  absl::Status Update();

 private:
  LearningLoop() = default;

  std::unique_ptr<VectorEnv> env_;
  std::unique_ptr<VectorRollout> rollout_;
  std::unique_ptr<Algorithm> algorithm_;
  std::unique_ptr<FragmentSource> source_;
  std::unique_ptr<Collector> collector_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_LEARNING_LOOP_H_
