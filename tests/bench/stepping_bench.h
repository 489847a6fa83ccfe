// The stepping bench: the same run of an env, again and again, by a bare loop and by every carrier,
// in turn.
#ifndef HIVEWIRE_TESTS_BENCH_STEPPING_BENCH_H_
#define HIVEWIRE_TESTS_BENCH_STEPPING_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/server_process.h"

namespace hivewire {

struct SteppingBenchOptions {
  std::string env_id;
  int num_envs = 64;
  // Of measuring, for each side; split into `rounds`.
  double seconds = 5;
  int rounds = 5;
  uint64_t seed = 0;
};

// NaN for what a side has not.
struct SideResult {
  std::string carrier;  // raw, inproc, unix, tcp
  int groups = 0;       // in flight; 1 is lockstep; 0 for raw
  double steps_per_second = 0;
  // Medians over the rounds; to inproc with as many groups.
  double ratio_to_raw = 0, ratio_to_inproc = 0;
  // s; one lane, its step included; and the median without its step.
  double round_trip_p50 = 0, round_trip_p99 = 0, round_trip_net_p50 = 0;
  // Of a group's step.
  double message_bytes_up = 0, message_bytes_down = 0;
  // s a message, of client and server together, their workers left out.
  double cpu_per_message = 0;
  // Bytes.
  double memory_per_lane = 0;
};

absl::StatusOr<std::vector<SideResult>> RunSteppingBench(const SteppingBenchOptions& options,
                                                         const ServerProcess& server);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_STEPPING_BENCH_H_
