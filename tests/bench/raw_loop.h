// The measure of all sides: mj_step in a bare loop, one mjData a thread, over the same states,
// actions and resets as a pool's run. No observation, no reward, no batch.
#ifndef HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_
#define HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_

#include "absl/status/status.h"
#include "tests/bench/recording.h"

namespace hivewire {

// Does the whole recording once, on `num_threads` threads. FAILED_PRECONDITION where a segment does
// not end, to the last bit, where the pool's run did: the env does more than this loop knows of.
absl::Status RunRawLoop(const Recording& recording, int num_threads);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_
