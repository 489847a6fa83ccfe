#include "tests/bench/recorder.h"

#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "server/pool/pool.h"
#include "server/sim/model.h"
#include "tests/bench/raw_loop.h"

namespace hivewire {
namespace {

constexpr int kSegmentSteps = 25;

bool ReadsContactForces(const v1::EnvSpec& spec) {
  for (const v1::LeafSpec& leaf : spec.observation()) {
    for (const std::string& element : leaf.element_names()) {
      if (absl::StrContains(element, ".cfrc_ext.")) return true;
    }
  }
  return false;
}

std::vector<double> ToDoubles(const std::string& actions) {
  std::vector<float> values(actions.size() / sizeof(float));
  std::memcpy(values.data(), actions.data(), actions.size());
  return {values.begin(), values.end()};
}

class Recorder {
 public:
  Recorder(const Pool& pool, const mjModel* model, Recording& recording)
      : pool_(pool),
        model_(model),
        recording_(recording),
        open_(static_cast<size_t>(recording.num_lanes)) {}

  absl::Status Begin(uint32_t lane, int first_step, bool begins_episode) {
    auto state = EngineState(lane);
    if (!state.ok()) return state.status();
    Segment& segment = open_[lane];
    segment = {};
    segment.lane = lane;
    segment.begins_episode = begins_episode;
    segment.first_step = first_step;
    segment.start = *std::move(state);
    return absl::OkStatus();
  }

  // The lane took the step number `step`.
  absl::Status Took(uint32_t lane, int step, unsigned flags) {
    if ((flags & v1::LANE_FLAG_FIRST) != 0) {
      recording_.segments.push_back(std::move(open_[lane]));
      return Begin(lane, step + 1, /*begins_episode=*/true);
    }
    Segment& segment = open_[lane];
    ++segment.num_steps;
    const bool last = step + 1 == recording_.num_steps;
    if (segment.num_steps < kSegmentSteps && !last) return absl::OkStatus();
    auto state = EngineState(lane);
    if (!state.ok()) return state.status();
    segment.end = *std::move(state);
    recording_.segments.push_back(std::move(segment));
    return Begin(lane, step + 1, /*begins_episode=*/false);
  }

 private:
  absl::StatusOr<std::vector<double>> EngineState(uint32_t lane) const {
    auto scene = pool_.SceneOf(lane);
    if (!scene.ok()) return scene.status();
    std::vector<double> state(static_cast<size_t>(mj_stateSize(model_, kSegmentState)));
    mj_extractState(model_, scene->state.data(), mjSTATE_INTEGRATION, state.data(), kSegmentState);
    return state;
  }

  const Pool& pool_;
  const mjModel* const model_;
  Recording& recording_;
  std::vector<Segment> open_;  // by lane
};

}  // namespace

absl::StatusOr<Recording> Record(PoolSpec spec, Workers& workers, uint64_t seed,
                                 const std::vector<std::string>& actions) {
  Recording recording;
  const std::shared_ptr<const Model> model = spec.task().model();
  recording.model = model->name();
  recording.engine_version = mj_version();
  recording.frame_skip = spec.description().spec().frame_skip();
  recording.needs_contact_forces = ReadsContactForces(spec.description().spec());
  recording.num_lanes = static_cast<int>(spec.num_lanes());
  recording.num_steps = static_cast<int>(actions.size());
  recording.action_elements = spec.action_elements();
  for (const std::string& step : actions) recording.controls.push_back(ToDoubles(step));

  const size_t flags_leaf = [&] {
    const auto& leaves = spec.description().result_layout().leaves();
    int k = 0;
    while (leaves[k].role() != v1::LEAF_ROLE_FLAGS) ++k;
    return static_cast<size_t>(k);
  }();
  const size_t flags = spec.result_layout().Offset(flags_leaf, spec.num_lanes());
  auto pool = Pool::Create(std::move(spec), workers);
  if (!pool.ok()) return pool.status();

  uint64_t op_no = 1;
  v1::Batch batch;
  v1::ResetLanes reset;
  reset.add_op_nos(op_no);
  for (int lane = 0; lane < recording.num_lanes; ++lane)
    reset.add_seeds(seed + static_cast<uint64_t>(lane));
  absl::Status status = (*pool)->Reset(std::move(reset));
  if (status.ok()) status = (*pool)->Next(absl::InfiniteFuture(), op_no, batch);
  if (!status.ok()) return status;
  Recorder recorder(**pool, model->get(), recording);
  const uint32_t lanes = static_cast<uint32_t>(recording.num_lanes);
  for (uint32_t lane = 0; lane < lanes && status.ok(); ++lane)
    status = recorder.Begin(lane, 0, /*begins_episode=*/false);
  for (int step = 0; step < recording.num_steps && status.ok(); ++step) {
    v1::StepLanes frame;
    frame.add_op_nos(++op_no);
    frame.set_actions(actions[static_cast<size_t>(step)]);
    status = (*pool)->Step(std::move(frame));
    if (status.ok()) status = (*pool)->Next(absl::InfiniteFuture(), op_no, batch);
    for (uint32_t row = 0; row < lanes && status.ok(); ++row) {
      status = recorder.Took(batch.env_ids(static_cast<int>(row)), step,
                             static_cast<uint8_t>(batch.payload()[flags + row]));
    }
  }
  if (!status.ok()) return status;
  return recording;
}

}  // namespace hivewire
