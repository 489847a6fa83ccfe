// A Tracker keeps what a run reports, for people to look at: the seam between training and
// TensorBoard, CSV files, Weights & Biases.
//
// A run has one of each kind that its configuration names. A kind overrides what it can show; the
// rest is passed over. A Status tells of what could not be written (a full disk); the run goes on,
// and later calls may succeed again. One thread at a time.
// To add one: a new file with a MakeX() and a line in registry.cc.
#ifndef HIVEWIRE_POLICY_TRACK_TRACKER_H_
#define HIVEWIRE_POLICY_TRACK_TRACKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/algorithm.h"

namespace hivewire {

// An animated GIF.
struct Gif {
  absl::string_view bytes;
  int width = 0;  // pixels
  int height = 0;
};

class Tracker {
 public:
  virtual ~Tracker() = default;

  // Steps are frames, and never fall. All of one update, or of one evaluation, in one call.
  virtual absl::Status AddScalars(int64_t step, absl::Span<const Statistic> scalars) = 0;
  // Markdown.
  virtual absl::Status AddText(int64_t /*step*/, const std::string& /*tag*/,
                               const std::string& /*text*/) {
    return absl::OkStatus();
  }
  // Of the values that are finite.
  virtual absl::Status AddHistogram(int64_t /*step*/, const std::string& /*tag*/,
                                    absl::Span<const double> /*values*/) {
    return absl::OkStatus();
  }
  virtual absl::Status AddGif(int64_t /*step*/, const std::string& /*tag*/, const Gif& /*gif*/) {
    return absl::OkStatus();
  }
  // Nothing more comes: the run is over, or was asked to stop.
  virtual absl::Status Finish() { return absl::OkStatus(); }
};

// The run that is tracked.
struct TrackedRun {
  // Of the run, and its folder.
  std::string id;
  std::string folder;
  v1::LearnerConfig config;
  // Where it begins: above 0 for a resumed run, which writes again what came after.
  int64_t frames = 0;
};

// The trackers that `config` asks for, by name.
std::vector<std::string> TrackerNames(const v1::OutputConfig& config);
// INVALID_ARGUMENT for one that there is not, with the nearest.
absl::Status CheckTrackers(const v1::OutputConfig& config);
// `name` is one that there is. A Status where its files cannot be made.
absl::StatusOr<std::unique_ptr<Tracker>> MakeTracker(const std::string& name,
                                                     const TrackedRun& run);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_TRACKER_H_
