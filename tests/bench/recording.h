// What a pool did in a run: all that a bare mj_step loop needs to do the same work. Says nothing in
// the engine's own types, so that a loop over another version of the engine can read it too.
#ifndef HIVEWIRE_TESTS_BENCH_RECORDING_H_
#define HIVEWIRE_TESTS_BENCH_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hivewire {

// Steps of one lane without an interruption, short enough to be shared out among threads.
struct Segment {
  uint32_t lane = 0;
  // The lane begins an episode: in a pool's run that is a step of its own.
  bool begins_episode = false;
  int first_step = 0;         // whose action is the first of the segment
  int num_steps = 0;          // of physics
  std::vector<double> start;  // kSegmentState of raw_loop.h
  std::vector<double> end;    // empty where an episode ended
};

struct Recording {
  std::string model;       // its name in the suite, "ant.xml"
  int engine_version = 0;  // mj_version() of the pool's engine
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

// In a file of this machine's own, for the programs of this folder.
absl::Status WriteRecording(const Recording& recording, const std::string& path);
absl::StatusOr<Recording> ReadRecording(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_RECORDING_H_
