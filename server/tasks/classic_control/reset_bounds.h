// The bounds of a uniform first state, which a reset's options "low" and "high" replace.
#ifndef HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_RESET_BOUNDS_H_
#define HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_RESET_BOUNDS_H_

#include "absl/status/statusor.h"
#include "server/tasks/options.h"

namespace hivewire {

struct ResetBounds {
  double low, high;
};

// BAD_OPTION for other options, and for bounds that are no finite range.
absl::StatusOr<ResetBounds> ParseResetBounds(const Options& options, ResetBounds defaults);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_CLASSIC_CONTROL_RESET_BOUNDS_H_
