// One env of a pool: its state between steps, and the last result, which it keeps until its next
// operation.
//
// A Lane is data; LaneRunner is what a worker does with it. A lane is run by one worker at a time
// (the pool sees to that), so nothing here is locked. No memory is allocated per step.
#ifndef HIVEWIRE_SERVER_POOL_LANE_H_
#define HIVEWIRE_SERVER_POOL_LANE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hivewire/v1/control.pb.h"
#include "server/pool/engines.h"
#include "server/pool/lane_images.h"
#include "server/pool/pool_spec.h"
#include "server/sim/model_overrides.h"
#include "server/sim/numpy_rng.h"

namespace hivewire {

struct Lane {
  uint32_t env_id = 0;

  // The env: a row of the engine's state, the task's own, the generator, the model.
  std::vector<double> state;
  std::vector<double> task_state;
  NumpyRng rng;
  // What this lane changes of the model; null for nothing.
  std::shared_ptr<const ModelOverrides> overrides;

  // Counters.
  uint64_t seed = 0;
  uint64_t episode = 0;  // 0 before the first reset
  int64_t elapsed_steps = 0;
  double episode_return = 0;
  int64_t episode_start_ns = 0;
  int faults_in_a_row = 0;

  enum class Phase {
    kNeedsReset,  // before the first reset; finished or failed under DISABLED
    kRunning,
    kFinished,  // the next step resets (NEXT_STEP; or failed)
    kRetired,   // failed too often: every operation answers with a fault
  };
  Phase phase = Phase::kNeedsReset;

  // The last operation's result: a packed row (PoolSpec::row_bytes), and what comes beside it.
  std::vector<char> row;
  std::vector<char>
      final_row;  // SAME_STEP, where `has_final`: same form as row, only the final leaves are valid
  bool has_final = false;
  bool has_episode = false;
  v1::Episode ended_episode;
  absl::Status fault;
};

// What a lane goes on from whose step was given up: the rest is the lost worker's.
struct LaneOrigin {
  uint64_t seed = 0;
  uint64_t episode = 0;
  int faults_in_a_row = 0;
  std::shared_ptr<const ModelOverrides> overrides;

  void Remember(const Lane& lane);
  // The lane that takes the place of the one that was lost. Its operation `op_no` failed.
  std::unique_ptr<Lane> Failed(const PoolSpec& spec, uint32_t env_id, uint64_t op_no,
                               const absl::Status& fault) const;
};

// Runs operations of a pool's lanes on one worker. One thread at a time.
class LaneRunner {
 public:
  // `engines` is null for a task without a model. Both outlive the runner. `renderers` only matters
  // to a pool that has images.
  LaneRunner(const PoolSpec& spec, Engines* engines, int worker,
             std::shared_ptr<RenderThreads> renderers = nullptr);

  // A fresh lane, seeded as by a reset without a seed of its own.
  static Lane MakeLane(const PoolSpec& spec, uint32_t env_id, uint64_t seed);

  // `action`: by the pool's action layout, one row; `actions` points at the first element of leaf k
  // at offsets[k].
  void Step(Lane& lane, uint64_t op_no, const char* actions, absl::Span<const size_t> leaf_offsets);
  // `seed` null: the lane's generator goes on.
  void Reset(Lane& lane, uint64_t op_no, const uint64_t* seed, const Options& options);
  // The operation failed before the lane was run.
  void Fail(Lane& lane, uint64_t op_no, const absl::Status& fault);

 private:
  absl::Status RunStep(Lane& lane);
  absl::Status RunReset(Lane& lane, const Options& options);
  void FinishEpisode(Lane& lane);
  void Fail(Lane& lane, absl::Status fault);
  void BeginResult(Lane& lane, uint64_t op_no);
  void SetFlags(Lane& lane, uint32_t flags);

  // This worker's engine; null for a task without one.
  absl::StatusOr<Simulation*> Engine();
  TaskContext ContextOf(Lane& lane, Simulation* simulation);
  // Points the tasks' leaf pointers into `row`, or at scratch where the leaf is no float64.
  void PointLeaves(char* row);
  // The images of the env that was observed last.
  absl::Status DrawImages(Simulation* simulation, char* row);
  // Converts what went to scratch, and finds NaNs.
  absl::Status StoreLeaves(char* row, bool reset);

  const PoolSpec& spec_;
  Engines* engines_;
  int worker_;
  std::vector<double> action_;
  std::vector<double> scratch_;
  std::vector<double*> observation_leaves_;
  std::vector<double*> info_leaves_;
  std::unique_ptr<LaneImages> images_;  // null for a pool that has none
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_LANE_H_
