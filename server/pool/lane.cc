#include "server/pool/lane.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/elements.h"
#include "base/error.h"

namespace hivewire {
namespace {

constexpr int kMaxFaultsInARow = 3;
// Fault messages travel in batches, whose size is bounded.
constexpr size_t kMaxFaultMessage = 400;

template <typename T>
void Put(char* row, size_t offset, T value) {
  std::memcpy(row + offset, &value, sizeof(value));
}

double ReadNumber(v1::DType dtype, const char* from) {
  double value;
  ReadElements(dtype, from, 1, &value);
  return value;
}

bool IsFloat(v1::DType dtype) { return dtype == v1::DTYPE_FLOAT32 || dtype == v1::DTYPE_FLOAT64; }

}  // namespace

void LaneOrigin::Remember(const Lane& lane) {
  seed = lane.seed;
  episode = lane.episode;
  faults_in_a_row = lane.faults_in_a_row;
  if (overrides != lane.overrides) overrides = lane.overrides;
}

std::unique_ptr<Lane> LaneOrigin::Failed(const PoolSpec& spec, uint32_t env_id, uint64_t op_no,
                                         const absl::Status& fault) const {
  auto lane = std::make_unique<Lane>(LaneRunner::MakeLane(spec, env_id, seed));
  lane->episode = episode;
  lane->faults_in_a_row = faults_in_a_row;
  lane->overrides = overrides;
  LaneRunner(spec, nullptr, 0).Fail(*lane, op_no, fault);
  return lane;
}

LaneRunner::LaneRunner(const PoolSpec& spec, Engines* engines, int worker,
                       std::shared_ptr<RenderThreads> renderers)
    : spec_(spec), engines_(engines), worker_(worker), action_(spec.action_elements()) {
  const v1::EnvSpec& env = spec.description().spec();
  observation_leaves_.resize(static_cast<size_t>(env.observation_size()));
  info_leaves_.resize(static_cast<size_t>(env.info_size()));
  size_t elements = 0;
  for (const RowLeaf& leaf : spec.observation()) elements += leaf.image ? 0 : leaf.elements;
  for (const RowLeaf& leaf : spec.info()) elements += leaf.elements;
  scratch_.resize(elements);
  if (spec.has_images() && renderers != nullptr)
    images_ = std::make_unique<LaneImages>(spec, std::move(renderers), worker);
}

Lane LaneRunner::MakeLane(const PoolSpec& spec, uint32_t env_id, uint64_t seed) {
  Lane lane;
  lane.env_id = env_id;
  lane.seed = seed;
  lane.rng = NumpyRng(seed);
  spec.task().OnSeeded(lane.rng);
  const std::shared_ptr<const Model> model = spec.task().model();
  if (model != nullptr) lane.state.resize(static_cast<size_t>(model->state_size()));
  lane.task_state.resize(static_cast<size_t>(spec.task().state_size()));
  lane.row.resize(spec.row_bytes());
  if (spec.autoreset_mode() == v1::AUTORESET_MODE_SAME_STEP)
    lane.final_row.resize(spec.row_bytes());
  return lane;
}

void LaneRunner::Step(Lane& lane, uint64_t op_no, const char* actions,
                      absl::Span<const size_t> leaf_offsets) {
  BeginResult(lane, op_no);
  if (lane.phase == Lane::Phase::kRetired) return Fail(lane, absl::OkStatus());
  if (lane.phase == Lane::Phase::kFinished) {
    const absl::Status status = RunReset(lane, {});
    if (!status.ok()) return Fail(lane, status);
    return SetFlags(lane, v1::LANE_FLAG_FIRST);
  }
  const v1::Layout& layout = spec_.description().action_layout();
  double* values = action_.data();
  for (int k = 0; k < layout.leaves_size(); ++k) {
    const v1::LayoutLeaf& leaf = layout.leaves(k);
    const size_t elements = leaf.row_bytes() / SizeOf(leaf.dtype());
    values = ReadElements(leaf.dtype(), actions + leaf_offsets[static_cast<size_t>(k)], elements,
                          values);
  }
  const absl::Status status = RunStep(lane);
  if (!status.ok()) Fail(lane, status);
}

void LaneRunner::Reset(Lane& lane, uint64_t op_no, const uint64_t* seed, const Options& options) {
  BeginResult(lane, op_no);
  if (lane.phase == Lane::Phase::kRetired) return Fail(lane, absl::OkStatus());
  if (seed != nullptr) {
    lane.seed = *seed;
    lane.rng = NumpyRng(*seed);
    spec_.task().OnSeeded(lane.rng);
  }
  const absl::Status status = RunReset(lane, options);
  if (!status.ok()) return Fail(lane, status);
  SetFlags(lane, v1::LANE_FLAG_FIRST);
}

void LaneRunner::Fail(Lane& lane, uint64_t op_no, const absl::Status& fault) {
  BeginResult(lane, op_no);
  Fail(lane, fault);
}

absl::Status LaneRunner::RunStep(Lane& lane) {
  const absl::StatusOr<Simulation*> engine = Engine();
  if (!engine.ok()) return engine.status();
  Simulation* simulation = *engine;
  TaskContext context = ContextOf(lane, simulation);
  const Action action{action_, spec_.action_dtype()};
  Outcome outcome;
  PointLeaves(lane.row.data());
  const Task& task = spec_.task();
  absl::Status status = Simulation::Guard([&] {
    if (simulation != nullptr) {
      simulation->Use(lane.overrides);
      if (task.edits_model())
        task.EditModel(lane.task_state, simulation->UseEdited(spec_.shared_task()));
      simulation->Load(lane.state);
    }
    task.Act(context, action);
    task.Advance(context);
    outcome = task.Evaluate(context, action, absl::MakeSpan(info_leaves_));
    task.Observe(context, absl::MakeSpan(observation_leaves_));
    if (simulation != nullptr) simulation->Save(absl::MakeSpan(lane.state));
  });
  if (!status.ok()) {
    if (engines_ != nullptr) engines_->Discard(worker_);
    return status;
  }
  if (simulation != nullptr) status = simulation->CheckState();
  if (status.ok()) status = StoreLeaves(lane.row.data(), /*reset=*/false);
  if (status.ok()) status = DrawImages(simulation, lane.row.data());
  if (status.ok() && std::isnan(outcome.reward)) {
    status = MakeError(v1::ERROR_REASON_SIM_DIVERGED, "the reward is NaN");
  }
  if (!status.ok()) return status;

  lane.faults_in_a_row = 0;
  ++lane.elapsed_steps;
  lane.episode_return += outcome.reward;
  Put(lane.row.data(), spec_.reward_offset(), outcome.reward);
  const int limit = spec_.max_episode_steps();
  const bool truncated = limit > 0 && lane.elapsed_steps >= limit;
  uint32_t flags = 0;
  if (outcome.terminated) flags |= v1::LANE_FLAG_TERMINATED;
  if (truncated) flags |= v1::LANE_FLAG_TRUNCATED;
  if (flags != 0) {
    FinishEpisode(lane);
    if (spec_.autoreset_mode() == v1::AUTORESET_MODE_SAME_STEP) {
      lane.final_row = lane.row;
      lane.has_final = true;
      status = RunReset(lane, {});
      if (!status.ok()) return status;
      flags |= v1::LANE_FLAG_FIRST | v1::LANE_FLAG_AUTORESET;
    }
  }
  SetFlags(lane, flags);
  return absl::OkStatus();
}

void LaneRunner::FinishEpisode(Lane& lane) {
  v1::Episode& episode = lane.ended_episode;
  episode.set_env_id(lane.env_id);
  episode.set_episode(lane.episode);
  episode.set_seed(lane.seed);
  episode.set_episode_return(lane.episode_return);
  episode.set_length(static_cast<uint64_t>(lane.elapsed_steps));
  episode.set_seconds(static_cast<double>(absl::GetCurrentTimeNanos() - lane.episode_start_ns) *
                      1e-9);
  episode.clear_success();
  if (const RowLeaf* success = spec_.success(); success != nullptr) {
    episode.set_success(ReadNumber(success->dtype, lane.row.data() + success->offset) != 0);
  }
  lane.has_episode = true;
  lane.phase = spec_.autoreset_mode() == v1::AUTORESET_MODE_DISABLED ? Lane::Phase::kNeedsReset
                                                                     : Lane::Phase::kFinished;
}

absl::Status LaneRunner::RunReset(Lane& lane, const Options& options) {
  const absl::StatusOr<Simulation*> engine = Engine();
  if (!engine.ok()) return engine.status();
  Simulation* simulation = *engine;
  TaskContext context = ContextOf(lane, simulation);
  // An info leaf that a reset does not set reads as NaN.
  for (const RowLeaf& leaf : spec_.info()) {
    const double unset = IsFloat(leaf.dtype) ? std::numeric_limits<double>::quiet_NaN() : 0;
    for (size_t k = 0; k < leaf.elements; ++k) {
      WriteElements(leaf.dtype, &unset, 1, lane.row.data() + leaf.offset + k * SizeOf(leaf.dtype));
    }
  }
  PointLeaves(lane.row.data());
  absl::Status task_status;
  absl::Status status = Simulation::Guard([&] {
    if (simulation != nullptr) {
      simulation->Use(lane.overrides);
      if (spec_.task().edits_model()) simulation->UseEdited(spec_.shared_task());
      simulation->Reset();
    }
    task_status = spec_.task().Reset(context, options, absl::MakeSpan(info_leaves_));
    if (!task_status.ok()) return;
    spec_.task().Observe(context, absl::MakeSpan(observation_leaves_));
    if (simulation != nullptr) simulation->Save(absl::MakeSpan(lane.state));
  });
  if (!status.ok()) {
    if (engines_ != nullptr) engines_->Discard(worker_);
    return status;
  }
  if (task_status.ok() && simulation != nullptr) task_status = simulation->CheckState();
  if (task_status.ok()) task_status = StoreLeaves(lane.row.data(), /*reset=*/true);
  if (task_status.ok()) task_status = DrawImages(simulation, lane.row.data());
  if (!task_status.ok()) return task_status;
  lane.phase = Lane::Phase::kRunning;
  ++lane.episode;
  lane.elapsed_steps = 0;
  lane.episode_return = 0;
  lane.episode_start_ns = absl::GetCurrentTimeNanos();
  Put(lane.row.data(), spec_.episode_offset(), lane.episode);
  Put(lane.row.data(), spec_.seed_offset(), lane.seed);
  return absl::OkStatus();
}

void LaneRunner::BeginResult(Lane& lane, uint64_t op_no) {
  lane.has_final = false;
  lane.has_episode = false;
  lane.fault = absl::OkStatus();
  Put(lane.row.data(), spec_.op_no_offset(), op_no);
  Put(lane.row.data(), spec_.reward_offset(), 0.0);
  Put(lane.row.data(), spec_.seed_offset(), lane.seed);
  Put(lane.row.data(), spec_.episode_offset(), lane.episode);
}

void LaneRunner::SetFlags(Lane& lane, uint32_t flags) {
  Put(lane.row.data(), spec_.flags_offset(), static_cast<uint8_t>(flags));
}

void LaneRunner::Fail(Lane& lane, absl::Status fault) {
  uint64_t op_no;
  std::memcpy(&op_no, lane.row.data() + spec_.op_no_offset(), sizeof(op_no));
  std::fill(lane.row.begin(), lane.row.end(), 0);
  BeginResult(lane, op_no);
  SetFlags(lane, v1::LANE_FLAG_FAULT);
  if (lane.phase != Lane::Phase::kRetired) {
    lane.phase = spec_.autoreset_mode() == v1::AUTORESET_MODE_DISABLED ? Lane::Phase::kNeedsReset
                                                                       : Lane::Phase::kFinished;
    // A reset with options that the task refuses is the client's mistake, not the lane's.
    if (!absl::IsInvalidArgument(fault)) ++lane.faults_in_a_row;
    if (lane.faults_in_a_row >= kMaxFaultsInARow) lane.phase = Lane::Phase::kRetired;
  }
  if (lane.phase == Lane::Phase::kRetired) {
    fault = MakeError(v1::ERROR_REASON_LANE_RETIRED,
                      absl::StrCat("lane ", lane.env_id, " failed ", kMaxFaultsInARow,
                                   " times in a row and is retired", fault.ok() ? "" : ": ",
                                   fault.message().substr(0, kMaxFaultMessage)));
  } else if (ReasonOf(fault) == v1::ERROR_REASON_UNSPECIFIED) {
    fault = MakeError(v1::ERROR_REASON_ENV_FAULT, fault.message().substr(0, kMaxFaultMessage));
  }
  lane.fault = std::move(fault);
}

absl::StatusOr<Simulation*> LaneRunner::Engine() {
  if (engines_ == nullptr) return nullptr;
  return engines_->Get(worker_);
}

TaskContext LaneRunner::ContextOf(Lane& lane, Simulation* simulation) {
  return {simulation, absl::MakeSpan(lane.task_state), &lane.rng};
}

void LaneRunner::PointLeaves(char* row) {
  double* scratch = scratch_.data();
  const auto point = [&](const std::vector<RowLeaf>& leaves, std::vector<double*>& pointers) {
    for (const RowLeaf& leaf : leaves) {
      if (leaf.image.has_value()) continue;
      if (leaf.dtype == v1::DTYPE_FLOAT64) {
        pointers[leaf.task_leaf] = reinterpret_cast<double*>(row + leaf.offset);
      } else {
        pointers[leaf.task_leaf] = scratch;
        scratch += leaf.elements;
      }
    }
  };
  point(spec_.observation(), observation_leaves_);
  point(spec_.info(), info_leaves_);
}

absl::Status LaneRunner::DrawImages(Simulation* simulation, char* row) {
  if (images_ == nullptr) return absl::OkStatus();
  return images_->Draw(*simulation, row);
}

absl::Status LaneRunner::StoreLeaves(char* row, bool reset) {
  const v1::EnvSpec& env = spec_.description().spec();
  for (const RowLeaf& leaf : spec_.observation()) {
    if (leaf.image.has_value()) continue;
    const double* values = observation_leaves_[leaf.task_leaf];
    double sum = 0;  // NaN (or ∞ − ∞) wherever an element is; then the elements are looked at
    for (size_t k = 0; k < leaf.elements; ++k) sum += values[k];
    if (std::isnan(sum)) {
      for (size_t k = 0; k < leaf.elements; ++k) {
        if (!std::isnan(values[k])) continue;
        return MakeError(v1::ERROR_REASON_SIM_DIVERGED,
                         absl::StrCat("observation leaf \"",
                                      env.observation(static_cast<int>(leaf.task_leaf)).name(),
                                      "\", element ", k, " is NaN"));
      }
    }
    if (leaf.dtype != v1::DTYPE_FLOAT64)
      WriteElements(leaf.dtype, values, leaf.elements, row + leaf.offset);
  }
  for (const RowLeaf& leaf : spec_.info()) {
    if (leaf.dtype == v1::DTYPE_FLOAT64) continue;
    if (reset && !env.info(static_cast<int>(leaf.task_leaf)).in_reset()) continue;
    WriteElements(leaf.dtype, info_leaves_[leaf.task_leaf], leaf.elements, row + leaf.offset);
  }
  return absl::OkStatus();
}

}  // namespace hivewire
