// Trains: collects, updates, reports, evaluates and saves until the run's frames are over.
//
// One thread. On an error from the envs the last checkpoint stays as it was; a checkpoint or report
// that cannot be written (a full disk) is told of, and the run goes on.
#ifndef HIVEWIRE_POLICY_TRAINER_H_
#define HIVEWIRE_POLICY_TRAINER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/vector_env.h"
#include "client/vector_rollout.h"
#include "policy/algorithm.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/collector_interface.h"
#include "policy/evaluation.h"
#include "policy/film.h"
#include "policy/fragment_source.h"
#include "policy/reporter.h"
#include "policy/run_folder.h"
#include "policy/session.h"
#include "policy/trainer_ranks.h"

namespace hivewire {

class Trainer {
 public:
  // Reaches the envs and makes the algorithm, before any file is written. With `from`, everything
  // stands as it did when that was saved. With `weights`, only the policy does: its networks and
  // what it normalises observations by. The run of either must be for an env of the same shapes.
  // `ranks` is null where this is the only one; else it outlives the trainer.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const v1::LearnerConfig& config,
                                                         const Reach& reach, const Checkpoint* from,
                                                         const Checkpoint* weights = nullptr,
                                                         Ranks* ranks = nullptr);

  // Runs to the end, or until `stop` says so: then the present update is finished first. Writes
  // into `folder`, which ranks but rank 0 do not have. Not OK where the envs failed, a rank was
  // lost, or the last checkpoint could not be written.
  absl::Status Run(const std::optional<RunFolder>& folder, const std::function<bool()>& stop);

  int64_t frames() const { return state_.frames(); }

 private:
  Trainer(const v1::LearnerConfig& config, const Reach& reach, Ranks* ranks);

  // Makes lanes, algorithm and collector, as the configuration says how to collect.
  absl::Status ReachEnvs(int64_t frames);
  absl::StatusOr<Problem> ReachLanes(int64_t frames);
  absl::Status MakeCollector();
  absl::Status CheckShapes(const Checkpoint& checkpoint) const;
  absl::Status Restore(const Checkpoint& all);
  absl::Status TakeWeights(const Checkpoint& from);
  absl::Status Loop(const std::function<bool()>& stop);
  // What ranks go on from if one is lost in the next update.
  absl::Status KeepForRanks();
  // Whether the run is to end before its frames are over.
  bool ReachedThreshold();
  absl::Status Report(std::vector<Statistic> statistics, absl::Duration update_time);
  absl::Status EvaluateNow(const std::function<bool()>& stop);
  // Whether it is the best so far.
  absl::StatusOr<bool> EvaluateHere(const std::function<bool()>& stop);
  // Plays episodes in lanes of their own.
  absl::StatusOr<Evaluation> Play(int num_envs, EvaluationOptions options, const FilmOptions* film,
                                  const std::function<bool()>& stop);
  absl::Status FilmNow(const std::function<bool()>& stop);
  absl::Status Save();
  double Seconds() const;
  bool Due(int64_t interval, int64_t last) const;

  v1::LearnerConfig config_;
  // Of this rank's lanes.
  v1::LearnerConfig own_config_;
  Reach reach_;
  TrainerRanks ranks_;
  // What collection.mode asks for; the other is null, or both are where collectors have the lanes.
  std::unique_ptr<VectorEnv> env_;
  std::unique_ptr<VectorRollout> rollout_;
  // Of experience; null where the policy cannot travel.
  std::unique_ptr<FragmentSource> source_;
  Problem problem_;
  std::unique_ptr<Algorithm> algorithm_;
  std::unique_ptr<Collector> collector_;
  Reporter reporter_;
  v1::CheckpointState state_;

  // Of this run of the program.
  absl::Time started_;
  double seconds_before_ = 0;
  int64_t frames_before_ = 0;
  int64_t last_saved_ = 0;
  int64_t last_evaluated_ = 0;
  int64_t last_filmed_ = 0;
  int64_t faults_ = 0;
  int64_t losses_ = 0;

  std::optional<RunFolder> folder_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRAINER_H_
