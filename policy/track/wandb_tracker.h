// Weights & Biases, without a network or a key: RUN/wandb/offline-run-DATE-ID, which
// `wandb sync RUN/wandb/offline-run-*` uploads. A resumed run adds another one, of the same id.
#ifndef HIVEWIRE_POLICY_TRACK_WANDB_TRACKER_H_
#define HIVEWIRE_POLICY_TRACK_WANDB_TRACKER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/track/tracker.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Tracker>> MakeWandbTracker(const TrackedRun& run);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_WANDB_TRACKER_H_
