// RUN/progress.csv: a row an update.
#ifndef HIVEWIRE_POLICY_TRACK_CSV_TRACKER_H_
#define HIVEWIRE_POLICY_TRACK_CSV_TRACKER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/track/tracker.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Tracker>> MakeCsvTracker(const TrackedRun& run);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_CSV_TRACKER_H_
