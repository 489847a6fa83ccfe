#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/pool.h"
#include "server/pool/pool_frame.h"

namespace hivewire {
namespace {

// What a row may add to a message beside its slabs: its id, an episode, a fault's status.
constexpr size_t kRowOverhead = 1024;
constexpr size_t kMessageOverhead = 4096;

// Who waits for a batch looks for it so long before it sleeps, where it leaves a worker idle, and
// one at a time: to wake a thread that sleeps takes longer than many a step.
constexpr absl::Duration kLook = absl::Milliseconds(1);
std::atomic<bool> somebody_looks{false};

}  // namespace

void Pool::Announce() {
  announced_.fetch_add(1, std::memory_order_release);
  ready_.NotifyAll();
}

template <typename Predicate>
void Pool::Look(MutexLock& lock, absl::Time deadline, Predicate came) {
  if (somebody_looks.exchange(true)) return;
  const absl::Time until = std::min(deadline, absl::Now() + kLook);
  bool over = false;
  while (!over && !came()) {
    const uint64_t seen = announced_.load(std::memory_order_relaxed);
    lock.Unlock();  // who announces something needs it
    do {
      sched_yield();
      over = absl::Now() >= until;
    } while (!over && announced_.load(std::memory_order_acquire) == seen);
    lock.Lock();
  }
  somebody_looks = false;
}

std::vector<uint32_t> Pool::NewLanes() {
  if (free_lanes_.empty()) return {};
  std::vector<uint32_t> lanes = std::move(free_lanes_.back());
  free_lanes_.pop_back();
  lanes.clear();
  return lanes;
}

void Pool::FreeLanes(std::vector<uint32_t> lanes) { free_lanes_.push_back(std::move(lanes)); }

void Pool::ClearBatch(v1::Batch& batch) {
  batch.clear_env_ids();
  batch.clear_episodes();
  batch.clear_faults();
  batch.clear_replay();
  if (!batch.has_finals()) return;
  free_finals_.reset(batch.release_finals());
  free_finals_->Clear();
}

bool Pool::MakeReady(absl::Span<const uint32_t> lanes, bool replay) {
  if (lanes.empty()) return false;
  for (const uint32_t lane : lanes) slots_[lane].occupancy = Occupancy::kReady;
  ReadyGroup group;
  group.lanes = NewLanes();
  group.lanes.assign(lanes.begin(), lanes.end());
  group.replay = replay;
  group.ready_ns = absl::GetCurrentTimeNanos();
  groups_.push_back(std::move(group));
  Announce();
  return true;
}

bool Pool::HasBatch() const {
  if (!groups_.empty()) return true;
  return !ready_lanes_.empty() && (ready_lanes_.size() >= policy_.recv_batch || outstanding_ == 0);
}

absl::Status Pool::Next(absl::Time deadline, uint64_t seq, v1::Batch& batch) {
  MutexLock lock(mutex_);
  while (true) {
    // A batch that is not full leaves when its first row has waited long enough.
    const absl::Time leave =
        ready_lanes_.empty() ? absl::InfiniteFuture() : FirstReady() + policy_.max_wait;
    const size_t seen = ready_lanes_.size();
    const auto came = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return interrupted_ || HasBatch() || (seen == 0 && !ready_lanes_.empty());
    };
    if (outstanding_ > 0 && outstanding_ < static_cast<size_t>(workers_.size()))
      Look(lock, std::min(deadline, leave), came);
    const bool ready = ready_.WaitUntil(lock, std::min(deadline, leave), came);
    if (interrupted_) {
      interrupted_ = false;
      return absl::CancelledError("interrupted");
    }
    if (CanLeave()) break;
    if (!ready && absl::Now() >= deadline) return absl::DeadlineExceededError("no batch is ready");
  }
  Take(lock, seq, batch);
  return absl::OkStatus();
}

bool Pool::TryNext(uint64_t seq, v1::Batch& batch) {
  MutexLock lock(mutex_);
  interrupted_ = false;  // for those who wait
  if (!CanLeave()) return false;
  Take(lock, seq, batch);
  return true;
}

bool Pool::CanLeave() const {
  return HasBatch() || (!ready_lanes_.empty() && absl::Now() >= FirstReady() + policy_.max_wait);
}

void Pool::Take(MutexLock& lock, uint64_t seq, v1::Batch& batch) {
  ClearBatch(batch);
  std::vector<uint32_t> lanes = TakeLanes(batch);
  ++statistics_.batches;
  const bool has_finals = std::any_of(lanes.begin(), lanes.end(),
                                      [this](uint32_t lane) { return lanes_[lane]->has_final; });
  if (has_finals && free_finals_ != nullptr) batch.set_allocated_finals(free_finals_.release());
  // The rows stay kReady, hence untouched, while they are copied.
  lock.Unlock();
  Gather(lanes, batch);
  lock.Lock();
  for (const uint32_t lane : lanes) {
    slots_[lane].occupancy = Occupancy::kIdle;
    slots_[lane].delivered_seq = seq;
  }
  FreeLanes(std::move(lanes));
}

std::vector<uint32_t> Pool::TakeLanes(v1::Batch& batch) {
  std::vector<uint32_t> lanes = NewLanes();
  if (!groups_.empty()) {
    ReadyGroup& group = groups_.front();
    const size_t count = std::min(group.lanes.size(), policy_.max_rows);
    lanes.assign(group.lanes.begin(), group.lanes.begin() + static_cast<ptrdiff_t>(count));
    batch.set_replay(group.replay);
    *batch.mutable_timing() = group.timing;
    batch.mutable_timing()->set_wait_ns(
        static_cast<uint64_t>(std::max<int64_t>(0, absl::GetCurrentTimeNanos() - group.ready_ns)));
    group.lanes.erase(group.lanes.begin(), group.lanes.begin() + static_cast<ptrdiff_t>(count));
    if (group.lanes.empty()) {
      FreeLanes(std::move(group.lanes));
      groups_.pop_front();
    }
    return lanes;
  }
  const size_t limit = policy_.recv_batch > 0
                           ? std::min<size_t>(policy_.recv_batch, policy_.max_rows)
                           : policy_.max_rows;
  const size_t count = std::min(ready_lanes_.size(), limit);
  for (; lanes.size() < count; ready_lanes_.pop_front()) lanes.push_back(ready_lanes_.front());
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
  return lanes;
}

absl::Time Pool::FirstReady() const { return slots_[ready_lanes_.front()].ready; }

void Pool::Gather(absl::Span<const uint32_t> lanes, v1::Batch& batch) const {
  batch.mutable_env_ids()->Add(lanes.begin(), lanes.end());
  const PayloadLayout& layout = spec_.result_layout();
  std::string& payload = *batch.mutable_payload();
  payload.resize(layout.PayloadBytes(lanes.size()));
  layout.ForEachLeaf(lanes.size(), [&](size_t k, size_t offset) {
    char* to = payload.data() + offset;
    const size_t bytes = layout.row_bytes(k);
    const size_t from = spec_.row_offset(k);
    for (const uint32_t lane : lanes) {
      std::memcpy(to, lanes_[lane]->row.data() + from, bytes);
      to += bytes;
    }
  });
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
  spec_.final_layout().ForEachLeaf(finals, [&](size_t k, size_t offset) {
    char* to = final_payload.data() + offset;
    const size_t bytes = spec_.final_layout().row_bytes(k);
    const size_t from = spec_.row_offset(spec_.final_leaves()[k]);
    for (const uint32_t row : batch.finals().rows()) {
      std::memcpy(to, lanes_[lanes[row]]->final_row.data() + from, bytes);
      to += bytes;
    }
  });
}

void Pool::Interrupt() {
  {
    MutexLock lock(mutex_);
    interrupted_ = true;
    Announce();
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
    std::vector<uint32_t> lanes;
    for (; !ready_lanes_.empty(); ready_lanes_.pop_front()) lanes.push_back(ready_lanes_.front());
    MakeReady(lanes, /*replay=*/false);
  }
  Announce();
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
  const bool news = MakeReady(lanes, /*replay=*/true);
  lock.Unlock();
  if (news) Notify();
}

}  // namespace hivewire
