// Tells of a run while it trains: progress for a person, and the same for the run's trackers.
//
// What cannot be written (a full disk) is told of, once for the same trouble in a row, and the run
// goes on. Not thread-safe.
#ifndef HIVEWIRE_POLICY_REPORTER_H_
#define HIVEWIRE_POLICY_REPORTER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/evaluation.h"
#include "policy/experience.h"
#include "policy/run_folder.h"
#include "policy/track/progress.h"
#include "policy/track/tracker.h"

namespace hivewire {

// An update, and what was collected for it.
struct UpdateReport {
  // Of the whole run.
  int64_t frames = 0;
  int64_t updates = 0;
  int64_t episodes_so_far = 0;
  double seconds = 0;
  // Since the program was started.
  double frames_per_second = 0;
  double update_seconds = 0;
  // That ended since the update before.
  std::vector<EpisodeSummary> episodes;
  std::vector<Statistic> statistics;
};

class Reporter {
 public:
  explicit Reporter(const v1::LearnerConfig& config);

  // Makes the trackers of a run that begins at `frames`.
  void Open(const RunFolder& folder, int64_t frames);

  void AddUpdate(const UpdateReport& report);
  void AddEvaluation(int64_t frames, const Evaluation& evaluation);
  // A GIF, `size` pixels wide and high.
  void AddVideo(int64_t frames, const std::string& path, int size);
  // How the numbers of each tensor whose name begins with "model." are spread.
  void AddWeights(int64_t frames, const TensorMap& tensors);
  // A line of its own.
  void Say(const std::string& line) { progress_.Say(line); }
  // For what the run can go on without.
  void Warn(const absl::Status& status);
  void Finish();

  // Mean return of the latest hundred training episodes; none before the hundredth.
  std::optional<double> LatestReturn() const;
  // Those episodes, into a checkpoint and back.
  void PutLatest(v1::CheckpointState& state) const;
  void TakeLatest(const v1::CheckpointState& state);

 private:
  void Track(absl::FunctionRef<absl::Status(Tracker&)> report);

  const v1::LearnerConfig config_;
  Progress progress_;
  ProgressState present_;
  std::vector<std::unique_ptr<Tracker>> trackers_;
  std::deque<EpisodeSummary> latest_;
  std::string last_warning_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_REPORTER_H_
