// The inside of Pool, shared by its files: pool.cc takes operations and runs them, pool_batches.cc
// hands their results out, pool_lanes.cc is about lanes that do not run.
#ifndef HIVEWIRE_SERVER_POOL_POOL_FRAME_H_
#define HIVEWIRE_SERVER_POOL_POOL_FRAME_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "server/pool/pool.h"

namespace hivewire {

struct Pool::Slot {
  uint64_t accepted_op_no = 0;
  uint64_t delivered_seq = 0;
  Occupancy occupancy = Occupancy::kIdle;
  LaneOrigin origin;
  // Of the last operation, for Timing.
  int64_t queue_ns = 0;
  int64_t step_ns = 0;
  absl::Time ready;
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

// One accepted frame: the job that the workers run. Used again for another when all of its lanes
// are done.
class Pool::Frame : public Workers::Job, public std::enable_shared_from_this<Frame> {
 public:
  explicit Frame(Pool& pool) : pool_(pool), stage_(pool.stage_) {}

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

  // Where each row's action leaves begin.
  void PlaceActions(const PayloadLayout& layout) {
    num_leaves_ = layout.num_leaves();
    row_offsets_.resize(rows_.size() * num_leaves_);
    layout.ForEachLeaf(lanes_.size(), [&](size_t leaf, size_t offset) {
      for (size_t index = 0; index < rows_.size(); ++index)
        row_offsets_[index * num_leaves_ + leaf] = offset + rows_[index] * layout.row_bytes(leaf);
    });
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
  bool is_step_ = false;
  std::string actions_;
  std::vector<uint64_t> seeds_;
  Options options_;
  std::vector<uint32_t> lanes_;  // of the whole frame, by row
  std::vector<bool> seen_;       // scratch of CheckLanes
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
  bool given_up_ = false;  // in part: a lost worker may still touch it
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_POOL_FRAME_H_
