// A Trainer's side of learning in several ranks: what all of them have to do together beyond the
// algorithm's and the collector's own. For a trainer that is alone every call does nothing, or
// gives back what it was given.
//
// All ranks make the same calls in the same order. Rank 0 writes the run's files, evaluates and
// shows progress. Its checkpoints hold what all ranks go on from: what is the same on all of them
// once, else under "rank.K.".
#ifndef HIVEWIRE_POLICY_TRAINER_RANKS_H_
#define HIVEWIRE_POLICY_TRAINER_RANKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/experience.h"
#include "policy/ranks/ranks.h"
#include "policy/run_folder.h"

namespace hivewire {

// What a run begins with.
struct TrainingStart {
  v1::LearnerConfig config;
  // Null for a new run.
  std::unique_ptr<Checkpoint> from;
};

// Rank 0's on all ranks, each with the env server that it names itself, if it does.
absl::StatusOr<TrainingStart> ShareStart(Ranks& ranks, absl::StatusOr<TrainingStart> rank_zeros,
                                         const std::string& own_server);

class TrainerRanks {
 public:
  // Null: alone. Else it outlives this.
  explicit TrainerRanks(Ranks* ranks) : ranks_(ranks) {}

  Ranks* ranks() const { return ranks_; }
  bool writes() const { return ranks_ == nullptr || ranks_->rank() == 0; }
  bool broken() const { return ranks_ != nullptr && ranks_->broken(); }

  // `config` of this rank's lanes alone; INVALID_ARGUMENT where lanes cannot be shared out.
  absl::StatusOr<v1::LearnerConfig> OwnConfig(const v1::LearnerConfig& config) const;
  // OK where it is on all ranks.
  absl::Status Agree(const absl::Status& own) const;
  // Whether any rank is asked to stop.
  absl::StatusOr<bool> Stops(const std::function<bool()>& stop) const;
  // Those of all ranks, and the sum of `faults`.
  absl::Status ShareEpisodes(std::vector<EpisodeSummary>& episodes, int64_t& faults) const;

  // Rank 0's folder, for a checkpoint that it cannot write itself.
  absl::Status ShareFolder(const std::optional<RunFolder>& folder);
  // On rank 0 `checkpoint` becomes that of all; its state becomes rank 0's on the others. An error
  // where one of them, `own` here, has none.
  absl::Status Gather(const absl::Status& own, Checkpoint& checkpoint) const;
  // What this rank goes on from. FAILED_PRECONDITION for one of another number of ranks.
  absl::StatusOr<Checkpoint> OwnPart(const Checkpoint& checkpoint) const;

  // Before each update: what can be gone on from without this rank's envs.
  void Keep(Checkpoint checkpoint) { kept_ = std::move(checkpoint); }
  // A rank was lost, or failed, as `status` says. What was kept last is written, unless `saved`
  // says that there is a checkpoint of those frames: by rank 0, or by who sees its folder once it
  // is gone. What to tell the user of it.
  absl::Status EndWithout(const absl::Status& status, int64_t saved) const;

 private:
  Ranks* const ranks_;
  std::string folder_;
  std::optional<Checkpoint> kept_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRAINER_RANKS_H_
