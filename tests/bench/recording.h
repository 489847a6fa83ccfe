// What a pool did in a run: all that a bare mj_step loop needs to do the same work.
#ifndef HIVEWIRE_TESTS_BENCH_RECORDING_H_
#define HIVEWIRE_TESTS_BENCH_RECORDING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/pool/pool_spec.h"
#include "server/pool/workers.h"
#include "server/sim/model.h"

namespace hivewire {

// Steps of one lane without an interruption, short enough to be shared out among threads.
struct Segment {
  uint32_t lane = 0;
  // The lane begins an episode: in a pool's run that is a step of its own.
  bool begins_episode = false;
  int first_step = 0;         // whose action is the first of the segment
  int num_steps = 0;          // of physics
  std::vector<double> start;  // rows of state, as Simulation saves them
  std::vector<double> end;    // empty where an episode ended
};

struct Recording {
  std::shared_ptr<const Model> model;
  int frame_skip = 1;
  // The env reads contact forces, which mj_step does not compute.
  bool needs_contact_forces = false;
  int num_lanes = 0;
  int num_steps = 0;
  size_t action_elements = 0;
  // By step, then (num_lanes, action_elements).
  std::vector<std::vector<double>> controls;
  std::vector<Segment> segments;

  int64_t lane_steps() const { return static_cast<int64_t>(num_lanes) * num_steps; }
};

// Runs a pool of `spec` from reset(seed + lane) through `actions` (by step, in the pool's action
// layout). The task must have a model, and one float32 action leaf.
absl::StatusOr<Recording> Record(PoolSpec spec, Workers& workers, uint64_t seed,
                                 const std::vector<std::string>& actions);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_RECORDING_H_
