#include "tests/bench/raw_loop.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace hivewire {
namespace {

// Whether the segment ends as it was recorded.
bool RunSegment(const mjModel* model, const Recording& recording, const Segment& segment,
                mjData* data, std::vector<double>& scratch) {
  if (segment.begins_episode) {
    mj_resetData(model, data);
    mj_setState(model, data, segment.start.data(), kSegmentState);
    mj_forward(model, data);
  }
  mj_setState(model, data, segment.start.data(), kSegmentState);
  for (int step = segment.first_step; step < segment.first_step + segment.num_steps; ++step) {
    const double* controls = recording.controls[static_cast<size_t>(step)].data() +
                             segment.lane * recording.action_elements;
    std::copy_n(controls, model->nu, data->ctrl);
    for (int frame = 0; frame < recording.frame_skip; ++frame) mj_step(model, data);
    if (recording.needs_contact_forces) mj_rnePostConstraint(model, data);
  }
  if (segment.end.empty()) return true;
  scratch.resize(segment.end.size());
  mj_getState(model, data, scratch.data(), kSegmentState);
  return std::memcmp(scratch.data(), segment.end.data(), scratch.size() * sizeof(double)) == 0;
}

}  // namespace

absl::Status RunRawLoop(const mjModel* model, const Recording& recording, int num_threads,
                        bool check_ends) {
  const size_t state_size = static_cast<size_t>(mj_stateSize(model, kSegmentState));
  if (recording.action_elements != static_cast<size_t>(model->nu) ||
      recording.segments[0].start.size() != state_size) {
    return absl::FailedPreconditionError("the env's action is not the engine's controls");
  }
  std::atomic<size_t> next{0};
  std::atomic<bool> same{true};
  const auto run = [&] {
    mjData* data = mj_makeData(model);
    std::vector<double> scratch;
    for (size_t k; (k = next.fetch_add(1)) < recording.segments.size();) {
      if (!RunSegment(model, recording, recording.segments[k], data, scratch)) same = false;
    }
    mj_deleteData(data);
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < num_threads; ++k) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  if (same || !check_ends) return absl::OkStatus();
  return absl::FailedPreconditionError("mj_step alone does not lead where the env's steps lead");
}

}  // namespace hivewire
