// The measure of all sides: mj_step in a bare loop, one mjData a thread, over the same states,
// actions and resets as a pool's run. No observation, no reward, no batch.
//
// Compiles against any MuJoCo from 3.6 on.
#ifndef HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_
#define HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_

#include <mujoco/mujoco.h>

#include "absl/status/status.h"
#include "tests/bench/recording.h"

namespace hivewire {

// What a segment keeps of a lane's state: what every version has, in the same order.
inline constexpr int kSegmentState = mjSTATE_TIME | mjSTATE_QPOS | mjSTATE_QVEL | mjSTATE_ACT |
                                     mjSTATE_WARMSTART | mjSTATE_EQ_ACTIVE | mjSTATE_MOCAP_POS |
                                     mjSTATE_MOCAP_QUAT;

// Does the whole recording once, on `num_threads` threads. FAILED_PRECONDITION where a segment does
// not end, to the last bit, where the pool's run did: the env does more than this loop knows of.
// Where the engine is another version than the pool's, pass `check_ends` = false: it goes its own
// way from the start of each segment.
absl::Status RunRawLoop(const mjModel* model, const Recording& recording, int num_threads,
                        bool check_ends);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_RAW_LOOP_H_
