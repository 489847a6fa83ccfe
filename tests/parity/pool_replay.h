// Runs a reference's trajectory in a pool of ours and compares every row.
#ifndef HIVEWIRE_TESTS_PARITY_POOL_REPLAY_H_
#define HIVEWIRE_TESTS_PARITY_POOL_REPLAY_H_

#include "absl/status/statusor.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"
#include "tests/parity/comparison.h"
#include "tests/parity/trajectory.h"

namespace hivewire {

// FAILED_PRECONDITION where our spec tells something else than the reference's spaces; else the
// Status of whatever failed.
absl::StatusOr<Comparison> ReplayInPool(const Registry& registry, Workers& workers,
                                        const Trajectory& reference);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_PARITY_POOL_REPLAY_H_
