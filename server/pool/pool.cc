#include "server/pool/pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/frame_checks.h"
#include "server/pool/snapshot.h"

namespace hivewire {
namespace {

// What a row may add to a message beside its slabs: its id, an episode, a fault's status.
constexpr size_t kRowOverhead = 1024;
constexpr size_t kMessageOverhead = 4096;
// As Slot::delivered_seq: whoever attaches has missed it.
constexpr uint64_t kNeverDelivered = UINT64_MAX;

uint64_t EntropySeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

struct Pool::Slot {
  uint64_t accepted_op_no = 0;
  uint64_t delivered_seq = 0;
  Occupancy occupancy = Occupancy::kIdle;
  // What a lane goes on from whose step was given up: the rest is the lost worker's.
  uint64_t seed = 0;
  uint64_t episode = 0;
  int faults_in_a_row = 0;
  std::shared_ptr<const ModelOverrides> overrides;
  // Of the last operation, for Timing.
  int64_t queue_ns = 0;
  int64_t step_ns = 0;
  absl::Time ready;

  void Remember(const Lane& lane) {
    seed = lane.seed;
    episode = lane.episode;
    faults_in_a_row = lane.faults_in_a_row;
    if (overrides != lane.overrides) overrides = lane.overrides;
  }
};

// What a step touches. Frames hold it too: a step that was given up may outlive the pool.
struct Pool::Stage {
  explicit Stage(PoolSpec given) : spec(std::move(given)) {}

  const PoolSpec spec;
  std::shared_ptr<Engines> engines;
  std::vector<LaneRunner> runners;           // by worker
  std::vector<std::unique_ptr<Lane>> lanes;  // in use, and those that were given up
};

// Lanes whose results leave together (split only by size).
struct Pool::ReadyGroup {
  std::vector<uint32_t> lanes;
  bool replay = false;
  v1::Timing timing;
  int64_t ready_ns = 0;
};

// One accepted frame: the job that the workers run.
class Pool::Frame : public Workers::Job {
 public:
  Frame(Pool& pool, v1::StepLanes frame)
      : pool_(pool),
        stage_(pool.stage_),
        is_step_(true),
        actions_(std::move(*frame.mutable_actions())) {}
  Frame(Pool& pool, v1::ResetLanes frame)
      : pool_(pool),
        stage_(pool.stage_),
        is_step_(false),
        seeds_(frame.seeds().begin(), frame.seeds().end()),
        options_(frame.options().begin(), frame.options().end()) {}

  size_t size() const override { return rows_.size(); }

  void Run(Workers::Turn& turn, size_t index) override {
    const int64_t begin = absl::GetCurrentTimeNanos();
    int64_t not_started = 0;
    started_ns_.compare_exchange_strong(not_started, begin, std::memory_order_relaxed);
    const size_t row = rows_[index];
    Lane& lane = *row_lanes_[index];
    LaneRunner& runner = stage_->runners[static_cast<size_t>(turn.worker())];
    if (is_step_) {
      absl::Span<size_t> offsets(row_offsets_.data() + index * num_leaves_, num_leaves_);
      runner.Step(lane, op_nos_[row], actions_.data(), offsets);
    } else {
      runner.Reset(lane, op_nos_[row], seeds_.empty() ? nullptr : &seeds_[row], options_);
    }
    row_step_ns_[index] = std::max<int64_t>(0, absl::GetCurrentTimeNanos() - begin);
  }

  void Done(size_t index) override {
    Log(index);
    pool_.Complete(*this, lanes_[rows_[index]], row_step_ns_[index]);
  }

  void GiveUp(size_t index, const absl::Status& status) override {
    Log(index);
    pool_.GiveUp(*this, rows_[index], status);
  }

  // Accepted → first lane started.
  int64_t QueueNanos() const {
    return std::max<int64_t>(0, started_ns_.load(std::memory_order_relaxed) - accepted_ns_);
  }

 private:
  friend class Pool;

  void Log(size_t index) const {
    if (pool_.operation_log_ == nullptr) return;
    const size_t row = rows_[index];
    pool_.operation_log_->Append(pool_.name_in_log_, lanes_[row], op_nos_[row]);
  }

  Pool& pool_;
  const std::shared_ptr<Stage> stage_;
  const bool is_step_;
  const std::string actions_;
  const std::vector<uint64_t> seeds_;
  const Options options_;
  std::vector<uint32_t> lanes_;  // of the whole frame, by row
  std::vector<uint64_t> op_nos_;
  std::vector<size_t> rows_;      // those that run (the others are replayed)
  std::vector<Lane*> row_lanes_;  // of rows_
  size_t num_leaves_ = 0;
  std::vector<size_t> row_offsets_;  // (rows_, num_leaves_) where each row's action leaves begin
  int64_t accepted_ns_ = 0;
  std::atomic<int64_t> started_ns_{0};
  std::vector<int64_t> row_step_ns_;  // of rows_; each written by its worker
  // Guarded by pool_.mutex_.
  size_t left_ = 0;
  int64_t step_ns_ = 0;  // of the lanes that are done
  int64_t first_done_ns_ = 0;
};

absl::StatusOr<std::unique_ptr<Pool>> Pool::Create(PoolSpec spec, Workers& workers,
                                                   absl::Duration step_timeout) {
  const absl::Status alive = workers.CheckAlive();
  if (!alive.ok()) return alive;
  auto stage = std::make_shared<Stage>(std::move(spec));
  if (const std::shared_ptr<const Model> model = stage->spec.task().model(); model != nullptr) {
    stage->engines = workers.EnginesFor(model);
  }
  return std::unique_ptr<Pool>(new Pool(std::move(stage), workers, step_timeout));
}

Pool::Pool(std::shared_ptr<Stage> stage, Workers& workers, absl::Duration step_timeout)
    : stage_(std::move(stage)),
      spec_(stage_->spec),
      workers_(workers),
      step_timeout_(step_timeout),
      properties_(spec_),
      tenant_(workers, step_timeout) {
  stage_->runners.reserve(static_cast<size_t>(workers.max_workers()));
  for (int worker = 0; worker < workers.max_workers(); ++worker)
    stage_->runners.emplace_back(spec_, stage_->engines.get(), worker);
  const uint64_t seed = EntropySeed();
  slots_.resize(spec_.num_lanes());
  lanes_.reserve(spec_.num_lanes());
  for (uint32_t lane = 0; lane < spec_.num_lanes(); ++lane) {
    stage_->lanes.push_back(std::make_unique<Lane>(LaneRunner::MakeLane(spec_, lane, seed + lane)));
    lanes_.push_back(stage_->lanes.back().get());
    slots_[lane].Remember(*lanes_[lane]);
  }
}

Pool::~Pool() = default;

absl::Status Pool::Step(v1::StepLanes frame) {
  auto lanes = CheckLanes(spec_, frame.env_ids());
  if (!lanes.ok()) return lanes.status();
  const absl::Status status = CheckActions(spec_, *lanes, frame.actions());
  if (!status.ok()) return status;
  const auto op_nos = frame.op_nos();
  return Submit(std::make_shared<Frame>(*this, std::move(frame)), *lanes, op_nos);
}

absl::Status Pool::Reset(v1::ResetLanes frame) {
  auto lanes = CheckLanes(spec_, frame.env_ids());
  if (!lanes.ok()) return lanes.status();
  if (frame.seeds_size() != 0 && static_cast<size_t>(frame.seeds_size()) != lanes->size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("seeds: ", frame.seeds_size(), " where ", lanes->size(),
                                  " lanes are reset; give one for each of them, or none"),
                     "seeds", absl::StrCat(frame.seeds_size()));
  }
  const auto op_nos = frame.op_nos();
  return Submit(std::make_shared<Frame>(*this, std::move(frame)), *lanes, op_nos);
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

absl::Status Pool::Submit(std::shared_ptr<Frame> frame, absl::Span<const uint32_t> lanes,
                          const google::protobuf::RepeatedField<uint64_t>& op_nos) {
  if (op_nos.size() != 1 && static_cast<size_t>(op_nos.size()) != lanes.size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("op_nos: ", op_nos.size(), " where ", lanes.size(),
                                  " lanes are named; give one for each of them, or one for all"),
                     "op_nos", absl::StrCat(op_nos.size()));
  }
  const auto op_no_of = [&](size_t row) {
    return op_nos[op_nos.size() == 1 ? 0 : static_cast<int>(row)];
  };
  const absl::Status alive = workers_.CheckAlive();
  if (!alive.ok()) return alive;
  frame->lanes_.assign(lanes.begin(), lanes.end());
  frame->op_nos_.resize(lanes.size());
  for (size_t row = 0; row < lanes.size(); ++row) frame->op_nos_[row] = op_no_of(row);
  frame->rows_.reserve(lanes.size());
  frame->row_lanes_.reserve(lanes.size());
  frame->accepted_ns_ = absl::GetCurrentTimeNanos();
  if (frame->is_step_) frame->num_leaves_ = spec_.action_layout().num_leaves();
  bool ready = false;
  {
    MutexLock lock(mutex_);
    for (size_t row = 0; row < lanes.size(); ++row) {
      const absl::Status status = CheckOperation(lanes[row], op_no_of(row), frame->is_step_);
      if (!status.ok()) return status;
    }
    std::vector<uint32_t> replayed;
    for (size_t row = 0; row < lanes.size(); ++row) {
      Slot& slot = slots_[lanes[row]];
      if (op_no_of(row) == slot.accepted_op_no) {
        // A result that is already on its way out is not sent twice.
        if (slot.occupancy == Occupancy::kIdle) replayed.push_back(lanes[row]);
        continue;
      }
      slot.accepted_op_no = op_no_of(row);
      slot.occupancy = Occupancy::kRunning;
      frame->rows_.push_back(row);
      frame->row_lanes_.push_back(lanes_[lanes[row]]);
    }
    outstanding_ += frame->rows_.size();
    frame->left_ = frame->rows_.size();
    frame->row_step_ns_.resize(frame->rows_.size());
    ready = MakeReady(std::move(replayed), /*replay=*/true);
  }
  if (ready) Notify();
  std::vector<size_t> offsets;
  if (frame->is_step_) spec_.action_layout().Offsets(lanes.size(), offsets);
  frame->row_offsets_.reserve(frame->rows_.size() * frame->num_leaves_);
  for (const size_t row : frame->rows_) {
    for (size_t k = 0; k < offsets.size(); ++k) {
      frame->row_offsets_.push_back(offsets[k] + row * spec_.action_layout().row_bytes(k));
    }
  }
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
      slots_[lane].Remember(*lanes_[lane]);
      slots_[lane].accepted_op_no = op_no_of(row);
      if (operation_log_ != nullptr) operation_log_->Append(name_in_log_, lane, op_no_of(row));
    }
    if (slots_[lane].occupancy == Occupancy::kIdle) ready.push_back(lane);
  }
  const bool news = MakeReady(std::move(ready), /*replay=*/false);
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
  slots_[lane].Remember(done);
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
  if (--frame.left_ == 0 && policy_.recv_batch == 0) {
    ReadyGroup& group = groups_.emplace_back();
    group.lanes.reserve(frame.rows_.size());
    for (const size_t row : frame.rows_) group.lanes.push_back(frame.lanes_[row]);
    group.timing.set_queue_ns(static_cast<uint64_t>(frame.QueueNanos()));
    group.timing.set_step_ns(static_cast<uint64_t>(frame.step_ns_));
    group.ready_ns = frame.first_done_ns_;
  }
  // The first ready lane sets the time at which a batch leaves that is not full.
  if (!HasBatch() && ready_lanes_.size() != 1) return;
  ready_.NotifyAll();
  const std::shared_ptr<const Listener> listener = listener_;
  lock.Unlock();
  if (listener != nullptr) (*listener)();
}

void Pool::GiveUp(Frame& frame, size_t row, const absl::Status& status) {
  const uint32_t env_id = frame.lanes_[row];
  {
    MutexLock lock(mutex_);
    const Slot& slot = slots_[env_id];
    const uint64_t seed = frame.seeds_.empty() ? slot.seed : frame.seeds_[row];
    auto lane = std::make_unique<Lane>(LaneRunner::MakeLane(spec_, env_id, seed));
    lane->episode = slot.episode;
    lane->faults_in_a_row = slot.faults_in_a_row;
    lane->overrides = slot.overrides;
    LaneRunner(spec_, nullptr, 0).Fail(*lane, frame.op_nos_[row], status);
    lanes_[env_id] = lane.get();
    stage_->lanes.push_back(std::move(lane));
  }
  Complete(frame, env_id, 0);
}

bool Pool::MakeReady(std::vector<uint32_t> lanes, bool replay) {
  if (lanes.empty()) return false;
  for (const uint32_t lane : lanes) slots_[lane].occupancy = Occupancy::kReady;
  ReadyGroup& group = groups_.emplace_back();
  group.lanes = std::move(lanes);
  group.replay = replay;
  group.ready_ns = absl::GetCurrentTimeNanos();
  ready_.NotifyAll();
  return true;
}

bool Pool::HasBatch() const {
  if (!groups_.empty()) return true;
  return !ready_lanes_.empty() && (ready_lanes_.size() >= policy_.recv_batch || outstanding_ == 0);
}

absl::Status Pool::Next(absl::Time deadline, uint64_t seq, v1::Batch& batch) {
  std::vector<uint32_t> lanes;
  MutexLock lock(mutex_);
  while (true) {
    // A batch that is not full leaves when its first row has waited long enough.
    const absl::Time leave =
        ready_lanes_.empty() ? absl::InfiniteFuture() : FirstReady() + policy_.max_wait;
    const size_t seen = ready_lanes_.size();
    const bool ready =
        ready_.WaitUntil(lock, std::min(deadline, leave), [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return interrupted_ || HasBatch() || (seen == 0 && !ready_lanes_.empty());
        });
    if (interrupted_) {
      interrupted_ = false;
      return absl::CancelledError("interrupted");
    }
    if (HasBatch() || (!ready_lanes_.empty() && absl::Now() >= FirstReady() + policy_.max_wait))
      break;
    if (!ready && absl::Now() >= deadline) return absl::DeadlineExceededError("no batch is ready");
  }
  batch.Clear();
  TakeLanes(lanes, batch);
  ++statistics_.batches;
  // The rows stay kReady, hence untouched, while they are copied.
  lock.Unlock();
  Gather(lanes, batch);
  lock.Lock();
  for (const uint32_t lane : lanes) {
    slots_[lane].occupancy = Occupancy::kIdle;
    slots_[lane].delivered_seq = seq;
  }
  return absl::OkStatus();
}

void Pool::TakeLanes(std::vector<uint32_t>& lanes, v1::Batch& batch) {
  if (!groups_.empty()) {
    ReadyGroup& group = groups_.front();
    const size_t count = std::min(group.lanes.size(), policy_.max_rows);
    lanes.assign(group.lanes.begin(), group.lanes.begin() + static_cast<ptrdiff_t>(count));
    batch.set_replay(group.replay);
    *batch.mutable_timing() = group.timing;
    batch.mutable_timing()->set_wait_ns(
        static_cast<uint64_t>(std::max<int64_t>(0, absl::GetCurrentTimeNanos() - group.ready_ns)));
    group.lanes.erase(group.lanes.begin(), group.lanes.begin() + static_cast<ptrdiff_t>(count));
    if (group.lanes.empty()) groups_.pop_front();
    return;
  }
  const size_t limit = policy_.recv_batch > 0
                           ? std::min<size_t>(policy_.recv_batch, policy_.max_rows)
                           : policy_.max_rows;
  const size_t count = std::min(ready_lanes_.size(), limit);
  lanes.assign(ready_lanes_.begin(), ready_lanes_.begin() + static_cast<ptrdiff_t>(count));
  ready_lanes_.erase(ready_lanes_.begin(), ready_lanes_.begin() + static_cast<ptrdiff_t>(count));
  v1::Timing& timing = *batch.mutable_timing();
  timing.set_wait_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(
      std::max(absl::ZeroDuration(), absl::Now() - slots_[lanes.front()].ready))));
  int64_t queue_ns = INT64_MAX;
  int64_t step_ns = 0;
  for (const uint32_t lane : lanes) {
    queue_ns = std::min(queue_ns, slots_[lane].queue_ns);
    step_ns += slots_[lane].step_ns;
  }
  timing.set_queue_ns(static_cast<uint64_t>(queue_ns));
  timing.set_step_ns(static_cast<uint64_t>(step_ns));
}

absl::Time Pool::FirstReady() const { return slots_[ready_lanes_.front()].ready; }

void Pool::Gather(absl::Span<const uint32_t> lanes, v1::Batch& batch) const {
  batch.mutable_env_ids()->Add(lanes.begin(), lanes.end());
  const PayloadLayout& layout = spec_.result_layout();
  std::string& payload = *batch.mutable_payload();
  payload.resize(layout.PayloadBytes(lanes.size()));
  std::vector<size_t> offsets;
  layout.Offsets(lanes.size(), offsets);
  for (size_t k = 0; k < offsets.size(); ++k) {
    char* to = payload.data() + offsets[k];
    const size_t bytes = layout.row_bytes(k);
    const size_t from = spec_.row_offset(k);
    for (const uint32_t lane : lanes) {
      std::memcpy(to, lanes_[lane]->row.data() + from, bytes);
      to += bytes;
    }
  }
  for (size_t row = 0; row < lanes.size(); ++row) {
    const Lane& lane = *lanes_[lanes[row]];
    if (lane.has_final) batch.mutable_finals()->add_rows(static_cast<uint32_t>(row));
    if (lane.has_episode) *batch.add_episodes() = lane.ended_episode;
    if (lane.fault.ok()) continue;
    v1::LaneFault& fault = *batch.add_faults();
    fault.set_env_id(lane.env_id);
    *fault.mutable_status() = ToProto(lane.fault);
  }
  if (!batch.has_finals()) return;
  const size_t finals = static_cast<size_t>(batch.finals().rows_size());
  std::string& final_payload = *batch.mutable_finals()->mutable_payload();
  final_payload.resize(spec_.final_layout().PayloadBytes(finals));
  spec_.final_layout().Offsets(finals, offsets);
  for (size_t k = 0; k < offsets.size(); ++k) {
    char* to = final_payload.data() + offsets[k];
    const size_t bytes = spec_.final_layout().row_bytes(k);
    const size_t from = spec_.row_offset(spec_.final_leaves()[k]);
    for (const uint32_t row : batch.finals().rows()) {
      std::memcpy(to, lanes_[lanes[row]]->final_row.data() + from, bytes);
      to += bytes;
    }
  }
}

void Pool::Interrupt() {
  {
    MutexLock lock(mutex_);
    interrupted_ = true;
    ready_.NotifyAll();
  }
  Notify();
}

void Pool::SetListener(std::function<void()> listener) {
  auto shared =
      listener == nullptr ? nullptr : std::make_shared<const Listener>(std::move(listener));
  MutexLock lock(mutex_);
  listener_.swap(shared);
}

void Pool::Notify() const {
  std::shared_ptr<const Listener> listener;
  {
    MutexLock lock(mutex_);
    listener = listener_;
  }
  if (listener != nullptr) (*listener)();
}

absl::Time Pool::NextLeave() const {
  MutexLock lock(mutex_);
  return ready_lanes_.empty() ? absl::InfiniteFuture() : FirstReady() + policy_.max_wait;
}

void Pool::SetBatchPolicy(const BatchPolicy& policy) {
  MutexLock lock(mutex_);
  policy_ = policy;
  if (policy.recv_batch == 0 && !ready_lanes_.empty()) {
    std::vector<uint32_t> lanes(ready_lanes_.begin(), ready_lanes_.end());
    ready_lanes_.clear();
    MakeReady(std::move(lanes), /*replay=*/false);
  }
  ready_.NotifyAll();
}

size_t Pool::MaxRows(size_t max_bytes) const {
  if (max_bytes <= kMessageOverhead) return 0;
  const auto bytes = [&](size_t rows) {
    return spec_.result_layout().PayloadBytes(rows) + spec_.final_layout().PayloadBytes(rows) +
           rows * kRowOverhead;
  };
  size_t low = 0;
  size_t high = spec_.num_lanes() + 1;
  while (low + 1 < high) {
    const size_t middle = low + (high - low) / 2;
    (bytes(middle) <= max_bytes - kMessageOverhead ? low : high) = middle;
  }
  return low;
}

void Pool::DescribeLanes(v1::Attached& attached) const {
  MutexLock lock(mutex_);
  for (uint32_t lane = 0; lane < slots_.size(); ++lane) {
    attached.add_accepted_op_no(slots_[lane].accepted_op_no);
    if (slots_[lane].occupancy == Occupancy::kRunning) attached.add_outstanding(lane);
  }
}

void Pool::Redeliver(uint64_t after_seq) {
  MutexLock lock(mutex_);
  std::vector<uint32_t> lanes;
  for (uint32_t lane = 0; lane < slots_.size(); ++lane) {
    const Slot& slot = slots_[lane];
    if (slot.occupancy == Occupancy::kIdle && slot.accepted_op_no > 0 &&
        slot.delivered_seq > after_seq) {
      lanes.push_back(lane);
    }
  }
  const bool news = MakeReady(std::move(lanes), /*replay=*/true);
  lock.Unlock();
  if (news) Notify();
}

absl::StatusOr<std::vector<std::string>> Pool::Save(absl::Span<const uint32_t> env_ids) const {
  auto lanes = CheckLanes(spec_, {env_ids.begin(), env_ids.end()});
  if (!lanes.ok()) return lanes.status();
  std::vector<std::string> snapshots;
  snapshots.reserve(lanes->size());
  MutexLock lock(mutex_);
  for (const uint32_t lane : *lanes) {
    const absl::Status idle = CheckIdle(lane);
    if (!idle.ok()) return idle;
    snapshots.push_back(SaveSnapshot(spec_, *lanes_[lane]));
  }
  return snapshots;
}

absl::Status Pool::CheckIdle(uint32_t lane) const {
  if (slots_[lane].occupancy != Occupancy::kRunning) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_LANE_BUSY,
                   absl::StrCat("env_ids: lane ", lane, " has an operation outstanding"), "env_ids",
                   absl::StrCat(lane));
}

absl::Status Pool::GetProperties(
    const google::protobuf::RepeatedField<uint32_t>& env_ids,
    const google::protobuf::RepeatedPtrField<std::string>& names,
    google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties) const {
  const auto lanes = CheckLanes(spec_, env_ids);
  if (!lanes.ok()) return lanes.status();
  std::vector<std::string> wanted(names.begin(), names.end());
  if (wanted.empty()) {
    for (const v1::PropertySpec& property : spec_.description().spec().properties())
      wanted.push_back(property.name());
  }
  MutexLock lock(mutex_);
  for (const uint32_t lane : *lanes) {
    const absl::Status idle = CheckIdle(lane);
    if (!idle.ok()) return idle;
    v1::LaneProperties& of_lane = *properties.Add();
    of_lane.set_env_id(lane);
    for (const std::string& name : wanted) {
      auto value = properties_.Get(*lanes_[lane], name);
      // Who asks for everything gets what there is before the first reset.
      if (names.empty() && ReasonOf(value.status()) == v1::ERROR_REASON_NEEDS_RESET) continue;
      if (!value.ok()) return value.status();
      (*of_lane.mutable_values())[name] = *std::move(value);
    }
  }
  return absl::OkStatus();
}

absl::Status Pool::SetProperties(
    const google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties) {
  if (properties.empty()) return absl::OkStatus();
  google::protobuf::RepeatedField<uint32_t> env_ids;
  for (const v1::LaneProperties& of_lane : properties) env_ids.Add(of_lane.env_id());
  const auto lanes = CheckLanes(spec_, env_ids);
  if (!lanes.ok()) return lanes.status();
  std::vector<Lane> changed;
  {
    MutexLock lock(mutex_);
    for (const uint32_t lane : *lanes) {
      if (slots_[lane].occupancy != Occupancy::kIdle) {
        return MakeError(
            v1::ERROR_REASON_LANE_BUSY,
            absl::StrCat("lanes: lane ", lane, " runs, or its result was not received yet"),
            "lanes", absl::StrCat(lane));
      }
    }
    // Nobody else may run them while the engine works out what they become.
    for (const uint32_t lane : *lanes) {
      slots_[lane].occupancy = Occupancy::kRunning;
      changed.push_back(*lanes_[lane]);
    }
  }
  absl::Status status;
  for (size_t row = 0; row < lanes->size() && status.ok(); ++row) {
    status = properties_.Set(properties[static_cast<int>(row)].values(), changed[row]);
    if (!status.ok()) status = Annotate(status, absl::StrCat("lanes[", row, "]"));
  }
  MutexLock lock(mutex_);
  for (size_t row = 0; row < lanes->size(); ++row) {
    const uint32_t lane = (*lanes)[row];
    slots_[lane].occupancy = Occupancy::kIdle;
    if (!status.ok()) continue;
    *lanes_[lane] = std::move(changed[row]);
    slots_[lane].Remember(*lanes_[lane]);
  }
  return status;
}

absl::StatusOr<Pool::Scene> Pool::SceneOf(uint32_t env_id) const {
  MutexLock lock(mutex_);
  if (env_id >= lanes_.size()) {
    return MakeError(v1::ERROR_REASON_BAD_ENV_ID,
                     absl::StrCat("env_ids: lane ", env_id, " is not below ", lanes_.size()),
                     "env_ids", absl::StrCat(env_id));
  }
  const absl::Status idle = CheckIdle(env_id);
  if (!idle.ok()) return idle;
  if (lanes_[env_id]->episode == 0) {
    return MakeError(v1::ERROR_REASON_NEEDS_RESET,
                     absl::StrCat("env_ids: lane ", env_id, " was never reset"), "env_ids",
                     absl::StrCat(env_id));
  }
  return Scene{lanes_[env_id]->state, lanes_[env_id]->overrides};
}

Pool::Statistics Pool::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

absl::StatusOr<std::unique_ptr<Pool::Loan>> Pool::Borrow(absl::Time deadline) {
  const absl::Status alive = workers_.CheckAlive();
  if (!alive.ok()) return alive;
  std::unique_ptr<Loan> loan(new Loan(*this));
  MutexLock lock(mutex_);
  const bool idle = ready_.WaitUntil(
      lock, deadline, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return outstanding_ == 0; });
  for (uint32_t lane = 0; lane < slots_.size() && !idle; ++lane) {
    const absl::Status status = CheckIdle(lane);
    if (!status.ok()) {
      loan->op_nos_.clear();  // nothing is lent
      return status;
    }
  }
  groups_.clear();
  ready_lanes_.clear();
  for (Slot& slot : slots_) {
    if (slot.occupancy == Occupancy::kReady) slot.delivered_seq = kNeverDelivered;
    slot.occupancy = Occupancy::kRunning;
    loan->op_nos_.push_back(slot.accepted_op_no);
  }
  return loan;
}

Pool::Loan::~Loan() {
  MutexLock lock(pool_.mutex_);
  for (size_t lane = 0; lane < op_nos_.size(); ++lane) {
    Slot& slot = pool_.slots_[lane];
    slot.occupancy = Occupancy::kIdle;
    if (slot.accepted_op_no == op_nos_[lane]) continue;
    slot.accepted_op_no = op_nos_[lane];
    slot.delivered_seq = kNeverDelivered;
    slot.Remember(*pool_.lanes_[lane]);
  }
}

LaneRunner& Pool::Loan::runner(int worker) const {
  return pool_.stage_->runners[static_cast<size_t>(worker)];
}

void Pool::Loan::Ran(uint32_t env_id, uint64_t op_no) {
  while (op_nos_[env_id] < op_no) {
    ++op_nos_[env_id];
    if (pool_.operation_log_ != nullptr)
      pool_.operation_log_->Append(pool_.name_in_log_, env_id, op_nos_[env_id]);
  }
}

void Pool::Loan::Replace(std::unique_ptr<Lane> lane) {
  MutexLock lock(pool_.mutex_);
  pool_.lanes_[lane->env_id] = lane.get();
  pool_.stage_->lanes.push_back(std::move(lane));
}

void Pool::Loan::Count(const Statistics& more) {
  MutexLock lock(pool_.mutex_);
  Statistics& all = pool_.statistics_;
  all.steps += more.steps;
  all.resets += more.resets;
  all.episodes += more.episodes;
  all.faults += more.faults;
  all.batches += more.batches;
  all.busy_seconds += more.busy_seconds;
}

}  // namespace hivewire
