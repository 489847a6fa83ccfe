// A program that takes part in compare.py: it says what sides it can play, then plays one turn for
// each line that it is given, so that the sides of several programs can take turns on one machine.
//
// It prints {"sides": [{"side": NAME, "engine": ENGINE}, …], …} once it is ready. Each line of
// standard input is the name of a side; the answer is one line, {"lane_steps": N, "seconds": S, …},
// or {"error": "…"}. It ends with its input.
#ifndef HIVEWIRE_TESTS_BENCH_PLAYER_H_
#define HIVEWIRE_TESTS_BENCH_PLAYER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/json.h"

namespace hivewire {

struct Turn {
  int64_t lane_steps = 0;
  double seconds = 0;
  // Of one lane, its step included and without it; 0 where there are more lanes.
  double round_trip_p50 = 0, round_trip_net_p50 = 0;
  // Of `seconds`, a learner's share for learning; 0 for who does not learn.
  double update_seconds = 0;
};

// Prints `ready` with `sides` added, all of them on `engine`, and plays until the end of the input.
void PlayTurns(JsonObject ready, const std::vector<std::string>& sides, const std::string& engine,
               const std::function<absl::StatusOr<Turn>(const std::string& side)>& play);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_PLAYER_H_
