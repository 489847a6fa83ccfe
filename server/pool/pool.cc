#include "server/pool/pool.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/frame_checks.h"
#include "server/pool/lane_images.h"
#include "server/pool/pool_frame.h"
#include "server/pool/snapshot.h"

namespace hivewire {
namespace {

uint64_t EntropySeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pool>> Pool::Create(PoolSpec spec, Workers& workers,
                                                   absl::Duration step_timeout, uint32_t weight) {
  const absl::Status alive = workers.CheckAlive();
  if (!alive.ok()) return alive;
  const absl::Status images = CheckImages(spec, workers.renderers().get());
  if (!images.ok()) return images;
  auto stage = std::make_shared<Stage>(std::move(spec));
  if (const std::shared_ptr<const Model> model = stage->spec.task().model(); model != nullptr) {
    stage->engines = workers.EnginesFor(model);
  }
  return std::unique_ptr<Pool>(new Pool(std::move(stage), workers, step_timeout, weight));
}

Pool::Pool(std::shared_ptr<Stage> stage, Workers& workers, absl::Duration step_timeout,
           uint32_t weight)
    : stage_(std::move(stage)),
      spec_(stage_->spec),
      workers_(workers),
      step_timeout_(step_timeout),
      properties_(spec_),
      tenant_(workers, step_timeout, weight) {
  stage_->runners.reserve(static_cast<size_t>(workers.max_workers()));
  for (int worker = 0; worker < workers.max_workers(); ++worker)
    stage_->runners.emplace_back(spec_, stage_->engines.get(), worker, workers.renderers());
  const uint64_t seed = EntropySeed();
  slots_.resize(spec_.num_lanes());
  lanes_.reserve(spec_.num_lanes());
  for (uint32_t lane = 0; lane < spec_.num_lanes(); ++lane) {
    stage_->lanes.push_back(std::make_unique<Lane>(LaneRunner::MakeLane(spec_, lane, seed + lane)));
    lanes_.push_back(stage_->lanes.back().get());
    slots_[lane].origin.Remember(*lanes_[lane]);
  }
}

Pool::~Pool() = default;

std::shared_ptr<Pool::Frame> Pool::NewFrame() {
  MutexLock lock(mutex_);
  if (free_frames_.empty()) return std::make_shared<Frame>(*this);
  std::shared_ptr<Frame> frame = std::move(free_frames_.back());
  free_frames_.pop_back();
  return frame;
}

absl::Status Pool::Step(v1::StepLanes&& request) {
  std::shared_ptr<Frame> frame = NewFrame();
  absl::Status status = CheckLanes(spec_, request.env_ids(), frame->seen_, frame->lanes_);
  if (status.ok()) status = CheckActions(spec_, frame->lanes_, request.actions());
  if (!status.ok()) return status;
  frame->is_step_ = true;
  frame->actions_.swap(*request.mutable_actions());
  frame->seeds_.clear();
  return Submit(std::move(frame), request.op_nos());
}

absl::Status Pool::Reset(const v1::ResetLanes& request) {
  std::shared_ptr<Frame> frame = NewFrame();
  const absl::Status status = CheckLanes(spec_, request.env_ids(), frame->seen_, frame->lanes_);
  if (!status.ok()) return status;
  const size_t lanes = frame->lanes_.size();
  if (request.seeds_size() != 0 && static_cast<size_t>(request.seeds_size()) != lanes) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("seeds: ", request.seeds_size(), " where ", lanes,
                                  " lanes are reset; give one for each of them, or none"),
                     "seeds", absl::StrCat(request.seeds_size()));
  }
  frame->is_step_ = false;
  frame->seeds_.assign(request.seeds().begin(), request.seeds().end());
  frame->options_ = Options(request.options().begin(), request.options().end());
  return Submit(std::move(frame), request.op_nos());
}

absl::Status Pool::CheckOperation(uint32_t lane, uint64_t op_no, bool is_step) const {
  const Slot& slot = slots_[lane];
  if (op_no == slot.accepted_op_no && op_no != 0) {
    if (slot.occupancy == Occupancy::kRunning) {
      return MakeError(
          v1::ERROR_REASON_LANE_BUSY,
          absl::StrCat("env_ids: operation ", op_no, " of lane ", lane, " is still running"),
          "env_ids", absl::StrCat(lane));
    }
    return absl::OkStatus();
  }
  if (op_no != slot.accepted_op_no + 1) {
    return MakeError(v1::ERROR_REASON_BAD_OP_NO,
                     absl::StrCat("op_nos: ", op_no, " for lane ", lane, ", which accepts ",
                                  slot.accepted_op_no + 1, " (or ", slot.accepted_op_no,
                                  " for its last result again)"),
                     "op_nos", absl::StrCat(op_no));
  }
  if (slot.occupancy != Occupancy::kIdle) {
    return MakeError(v1::ERROR_REASON_LANE_BUSY,
                     absl::StrCat("env_ids: lane ", lane, " has operation ", slot.accepted_op_no,
                                  " outstanding"),
                     "env_ids", absl::StrCat(lane));
  }
  if (is_step && lanes_[lane]->phase == Lane::Phase::kNeedsReset) {
    return MakeError(v1::ERROR_REASON_NEEDS_RESET,
                     absl::StrCat("env_ids: lane ", lane,
                                  lanes_[lane]->episode == 0
                                      ? " was never reset"
                                      : " has ended its episode, and autoreset is disabled"),
                     "env_ids", absl::StrCat(lane));
  }
  return absl::OkStatus();
}

absl::Status Pool::Submit(std::shared_ptr<Frame> frame,
                          const google::protobuf::RepeatedField<uint64_t>& op_nos) {
  const std::vector<uint32_t>& lanes = frame->lanes_;
  if (op_nos.size() != 1 && static_cast<size_t>(op_nos.size()) != lanes.size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("op_nos: ", op_nos.size(), " where ", lanes.size(),
                                  " lanes are named; give one for each of them, or one for all"),
                     "op_nos", absl::StrCat(op_nos.size()));
  }
  const absl::Status alive = workers_.CheckAlive();
  if (!alive.ok()) return alive;
  frame->op_nos_.resize(lanes.size());
  for (size_t row = 0; row < lanes.size(); ++row)
    frame->op_nos_[row] = op_nos[op_nos.size() == 1 ? 0 : static_cast<int>(row)];
  frame->rows_.clear();
  frame->row_lanes_.clear();
  frame->accepted_ns_ = absl::GetCurrentTimeNanos();
  frame->started_ns_.store(0, std::memory_order_relaxed);
  bool ready = false;
  {
    MutexLock lock(mutex_);
    for (size_t row = 0; row < lanes.size(); ++row) {
      const absl::Status status = CheckOperation(lanes[row], frame->op_nos_[row], frame->is_step_);
      if (!status.ok()) return status;
    }
    std::vector<uint32_t> replayed;
    for (size_t row = 0; row < lanes.size(); ++row) {
      Slot& slot = slots_[lanes[row]];
      if (frame->op_nos_[row] == slot.accepted_op_no) {
        // A result that is already on its way out is not sent twice.
        if (slot.occupancy == Occupancy::kIdle) replayed.push_back(lanes[row]);
        continue;
      }
      slot.accepted_op_no = frame->op_nos_[row];
      slot.occupancy = Occupancy::kRunning;
      frame->rows_.push_back(row);
      frame->row_lanes_.push_back(lanes_[lanes[row]]);
    }
    const size_t running = frame->rows_.size();
    outstanding_ += running;
    frame->left_ = running;
    frame->step_ns_ = 0;
    frame->first_done_ns_ = 0;
    frame->row_step_ns_.resize(running);
    ready = MakeReady(replayed, /*replay=*/true);
  }
  if (ready) Notify();
  if (frame->is_step_) frame->PlaceActions(spec_.action_layout());
  tenant_.Post(std::move(frame));
  return absl::OkStatus();
}

absl::Status Pool::Load(const v1::LoadLanes& frame) {
  auto lanes = CheckLanes(spec_, frame.env_ids());
  if (!lanes.ok()) return lanes.status();
  if (static_cast<size_t>(frame.snapshots_size()) != lanes->size()) {
    return MakeError(
        v1::ERROR_REASON_BAD_SHAPE,
        absl::StrCat("snapshots: ", frame.snapshots_size(), " for ", lanes->size(), " lanes"),
        "snapshots", absl::StrCat(frame.snapshots_size()));
  }
  if (frame.op_nos_size() != 1 && static_cast<size_t>(frame.op_nos_size()) != lanes->size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("op_nos: ", frame.op_nos_size(), " for ", lanes->size(),
                                  " lanes; give one for each of them, or one for all"),
                     "op_nos", absl::StrCat(frame.op_nos_size()));
  }
  const auto op_no_of = [&](size_t row) {
    return frame.op_nos(frame.op_nos_size() == 1 ? 0 : static_cast<int>(row));
  };
  std::vector<Lane> loaded;
  loaded.reserve(lanes->size());
  for (size_t row = 0; row < lanes->size(); ++row) {
    absl::StatusOr<Lane> lane =
        LoadSnapshot(spec_, (*lanes)[row], frame.snapshots(static_cast<int>(row)), op_no_of(row),
                     frame.allow_inexact(), properties_);
    if (!lane.ok()) return Annotate(lane.status(), absl::StrCat("snapshots[", row, "]"));
    loaded.push_back(*std::move(lane));
  }
  MutexLock lock(mutex_);
  for (size_t row = 0; row < lanes->size(); ++row) {
    const absl::Status status = CheckOperation((*lanes)[row], op_no_of(row), /*is_step=*/false);
    if (!status.ok()) return status;
  }
  std::vector<uint32_t> ready;
  for (size_t row = 0; row < lanes->size(); ++row) {
    const uint32_t lane = (*lanes)[row];
    if (op_no_of(row) != slots_[lane].accepted_op_no) {
      *lanes_[lane] = std::move(loaded[row]);
      slots_[lane].origin.Remember(*lanes_[lane]);
      slots_[lane].accepted_op_no = op_no_of(row);
      if (operation_log_ != nullptr) operation_log_->Append(name_in_log_, lane, op_no_of(row));
    }
    if (slots_[lane].occupancy == Occupancy::kIdle) ready.push_back(lane);
  }
  const bool news = MakeReady(ready, /*replay=*/false);
  lock.Unlock();
  if (news) Notify();
  return absl::OkStatus();
}

void Pool::LogOperations(OperationLog* log, std::string name) {
  operation_log_ = log;
  name_in_log_ = std::move(name);
}

void Pool::Complete(Frame& frame, uint32_t lane, int64_t step_ns) {
  MutexLock lock(mutex_);
  const Lane& done = *lanes_[lane];
  slots_[lane].origin.Remember(done);
  ++(frame.is_step_ ? statistics_.steps : statistics_.resets);
  if (done.has_episode) ++statistics_.episodes;
  if (!done.fault.ok()) ++statistics_.faults;
  --outstanding_;
  Slot& slot = slots_[lane];
  slot.occupancy = Occupancy::kReady;
  slot.queue_ns = frame.QueueNanos();
  slot.step_ns = step_ns;
  frame.step_ns_ += step_ns;
  statistics_.busy_seconds += static_cast<double>(step_ns) * 1e-9;
  if (policy_.recv_batch > 0) {
    slot.ready = absl::Now();
    ready_lanes_.push_back(lane);
  } else if (frame.first_done_ns_ == 0) {
    frame.first_done_ns_ = absl::GetCurrentTimeNanos();
  }
  if (--frame.left_ == 0) {
    if (policy_.recv_batch == 0) {
      ReadyGroup group;
      group.lanes = NewLanes();
      for (const size_t row : frame.rows_) group.lanes.push_back(frame.lanes_[row]);
      group.timing.set_queue_ns(static_cast<uint64_t>(frame.QueueNanos()));
      group.timing.set_step_ns(static_cast<uint64_t>(frame.step_ns_));
      group.ready_ns = frame.first_done_ns_;
      groups_.push_back(std::move(group));
    }
    // Its last worker only lets go of it now.
    if (!frame.given_up_) free_frames_.push_back(frame.shared_from_this());
  }
  // The first ready lane sets the time at which a batch leaves that is not full.
  if (!HasBatch() && ready_lanes_.size() != 1) return;
  const std::shared_ptr<const Listener> listener = listener_;
  lock.Unlock();
  Announce();
  if (listener != nullptr) (*listener)();
}

void Pool::GiveUp(Frame& frame, size_t row, const absl::Status& status) {
  const uint32_t env_id = frame.lanes_[row];
  {
    MutexLock lock(mutex_);
    LaneOrigin origin = slots_[env_id].origin;
    if (!frame.seeds_.empty()) origin.seed = frame.seeds_[row];
    auto lane = origin.Failed(spec_, env_id, frame.op_nos_[row], status);
    lanes_[env_id] = lane.get();
    stage_->lanes.push_back(std::move(lane));
    frame.given_up_ = true;
  }
  Complete(frame, env_id, 0);
}

}  // namespace hivewire
