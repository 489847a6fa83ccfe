// Records what a pool does, for the bare loop.
#ifndef HIVEWIRE_TESTS_BENCH_RECORDER_H_
#define HIVEWIRE_TESTS_BENCH_RECORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/pool/pool_spec.h"
#include "server/pool/workers.h"
#include "tests/bench/recording.h"

namespace hivewire {

// Runs a pool of `spec` from reset(seed + lane) through `actions` (by step, in the pool's action
// layout). The task must have a model, and one float32 action leaf.
absl::StatusOr<Recording> Record(PoolSpec spec, Workers& workers, uint64_t seed,
                                 const std::vector<std::string>& actions);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_RECORDER_H_
