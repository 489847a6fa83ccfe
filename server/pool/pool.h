// A pool steps many lanes of one env on the server's workers and hands back batches of what is
// ready. It knows nothing of gRPC.
//
// Who calls whom: one client at a time calls Step, Reset and Load; workers run the lanes; the same
// client's receiving thread takes batches with Next. A lane runs on one worker at a time. Results
// do not depend on the number of workers, bit for bit.
//
// Operations are numbered and answered as session.proto says. A lane keeps its last result in a row
// of its own, and a batch is gathered from such rows when it leaves; so a result can be sent again
// at any time, memory is bounded by the number of lanes, and a slow client holds up nobody.
//
// A step that takes longer than `step_timeout` is a fault of its lane (STEP_TIMEOUT), which goes on
// from its seed; whatever the step still does meets nobody (workers.h).
//
// Thread-safe. The destructor waits for the lanes that run, but no longer than that.
#ifndef HIVEWIRE_SERVER_POOL_POOL_H_
#define HIVEWIRE_SERVER_POOL_POOL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/ring_queue.h"
#include "hivewire/v1/session.pb.h"
#include "server/pool/lane.h"
#include "server/pool/operation_log.h"
#include "server/pool/pool_spec.h"
#include "server/pool/properties.h"
#include "server/pool/workers.h"

namespace hivewire {

// When a batch leaves; see Attach in session.proto.
struct BatchPolicy {
  uint32_t recv_batch = 0;
  absl::Duration max_wait = absl::InfiniteDuration();
  // Of one batch; larger ones are split.
  size_t max_rows = SIZE_MAX;
};

inline constexpr absl::Duration kDefaultStepTimeout = absl::Seconds(60);

class Pool {
 public:
  // `workers` outlives the pool; `weight` is its Tenant's. Lanes are seeded from the operating
  // system until they are reset with seeds.
  static absl::StatusOr<std::unique_ptr<Pool>> Create(
      PoolSpec spec, Workers& workers, absl::Duration step_timeout = kDefaultStepTimeout,
      uint32_t weight = 1);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const PoolSpec& spec() const { return spec_; }
  absl::Duration step_timeout() const { return step_timeout_; }

  // Every operation that runs goes into `log`, which outlives the pool, under this name. To be
  // called before the first one.
  void LogOperations(OperationLog* log, std::string name);

  // Starts one operation for each lane of the frame. All or nothing: a Status names the first lane,
  // field and value that is wrong, and then nothing runs. Lanes whose kept result is asked for
  // again (same op_no) come back from Next as a replay.
  // Step takes the actions out of the frame, and leaves it their memory of an earlier one.
  absl::Status Step(v1::StepLanes&& request);
  absl::Status Reset(const v1::ResetLanes& request);
  absl::Status Load(const v1::LoadLanes& frame);

  // The next batch, into `batch`, whose memory is used again; `seq` is the number of the frame that
  // will carry it. DEADLINE_EXCEEDED, or CANCELLED after Interrupt.
  absl::Status Next(absl::Time deadline, uint64_t seq, v1::Batch& batch);
  // Whether there is one already.
  bool TryNext(uint64_t seq, v1::Batch& batch);
  // Makes the running Next, or else the following one, return CANCELLED.
  void Interrupt();

  // For who does not wait in Next: `listener` is called whenever Next may have something new, and
  // by Interrupt, on the thread that brought it about. It must not wait. Null for none; one that
  // was replaced may still be called for a moment.
  void SetListener(std::function<void()> listener);
  // When a batch that is not full leaves at the latest.
  absl::Time NextLeave() const;

  void SetBatchPolicy(const BatchPolicy& policy);
  // Bytes of a message that holds one row at most, and the most rows for a message of `max_bytes`
  // (0: not even one).
  size_t MaxRows(size_t max_bytes) const;

  // What Attached tells of the lanes.
  void DescribeLanes(v1::Attached& attached) const;
  // Delivers again what was delivered in frames after `seq` (all that is kept for 0): a client that
  // attaches has missed it.
  void Redeliver(uint64_t after_seq);

  // Snapshots of idle lanes. LANE_BUSY for another.
  absl::StatusOr<std::vector<std::string>> Save(absl::Span<const uint32_t> env_ids) const;

  // Properties of lanes that do not run (properties.h says what is refused).
  absl::Status GetProperties(
      const google::protobuf::RepeatedField<uint32_t>& env_ids,
      const google::protobuf::RepeatedPtrField<std::string>& names,
      google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties) const;
  // All or nothing.
  absl::Status SetProperties(
      const google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties);

  // What an idle lane looks like, for rendering.
  struct Scene {
    std::vector<double> state;
    std::shared_ptr<const ModelOverrides> overrides;
    std::function<void(mjModel&)> edit_model;  // what the task changes besides; null for nothing
  };
  absl::StatusOr<Scene> SceneOf(uint32_t env_id) const;

  // All lanes, for somebody who runs them on the workers with no client between the steps
  // (server/rollout). While they are lent every lane is busy.
  class Loan;
  // Waits for lanes that still run; LANE_BUSY where they do at `deadline`. Results that nobody
  // received yet stay with their lanes, as ever.
  absl::StatusOr<std::unique_ptr<Loan>> Borrow(absl::Time deadline);

  struct Statistics {
    uint64_t steps = 0, resets = 0, episodes = 0, faults = 0, batches = 0;
    double busy_seconds = 0;
  };
  Statistics statistics() const;

 private:
  struct Slot;
  struct Stage;
  struct ReadyGroup;
  class Frame;

  enum class Occupancy : uint8_t { kIdle, kRunning, kReady };

  Pool(std::shared_ptr<Stage> stage, Workers& workers, absl::Duration step_timeout,
       uint32_t weight);

  // One that is done, or another.
  std::shared_ptr<Frame> NewFrame();
  absl::Status Submit(std::shared_ptr<Frame> frame,
                      const google::protobuf::RepeatedField<uint64_t>& op_nos);
  absl::Status CheckOperation(uint32_t lane, uint64_t op_no, bool is_step) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // LANE_BUSY where the lane runs.
  absl::Status CheckIdle(uint32_t lane) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Complete(Frame& frame, uint32_t lane, int64_t step_ns);
  void GiveUp(Frame& frame, size_t row, const absl::Status& status);
  // An empty list; FreeLanes takes it back.
  std::vector<uint32_t> NewLanes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FreeLanes(std::vector<uint32_t> lanes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // batch.Clear(), which would also free what the timing and the finals hold.
  void ClearBatch(v1::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether there are any.
  bool MakeReady(absl::Span<const uint32_t> lanes, bool replay)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Since when the first of ready_lanes_ waits.
  absl::Time FirstReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasBatch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // HasBatch, or one that is not full has waited long enough.
  bool CanLeave() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next batch, which there is. Lets go of the mutex while it copies the rows.
  void Take(MutexLock& lock, uint64_t seq, v1::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the next batch, whose timing it sets.
  std::vector<uint32_t> TakeLanes(v1::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Gather(absl::Span<const uint32_t> lanes, v1::Batch& batch) const;

  // Whoever waits for ready_ is to look again. Best called without the mutex, which they then need.
  void Announce();
  // Waits for `came` a little without sleeping; not at all while another caller of the process
  // does.
  template <typename Predicate>
  void Look(MutexLock& lock, absl::Time deadline, Predicate came)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  using Listener = std::function<void()>;

  // Calls the listener.
  void Notify() const;

  const std::shared_ptr<Stage> stage_;
  const PoolSpec& spec_;  // stage_'s
  Workers& workers_;
  const absl::Duration step_timeout_;
  Properties properties_;
  // By lane; owned by stage_. A lane's data belong to the worker that runs it while it is kRunning,
  // and else to whoever holds mutex_.
  std::vector<Lane*> lanes_;
  OperationLog* operation_log_ = nullptr;
  std::string name_in_log_;

  mutable Mutex mutex_;
  Condition ready_;
  std::atomic<uint64_t> announced_{0};  // times that ready_ was notified
  std::shared_ptr<const Listener> listener_ ABSL_GUARDED_BY(mutex_);
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);  // by lane
  BatchPolicy policy_ ABSL_GUARDED_BY(mutex_);
  RingQueue<ReadyGroup> groups_ ABSL_GUARDED_BY(mutex_);
  RingQueue<uint32_t> ready_lanes_ ABSL_GUARDED_BY(mutex_);  // recv_batch > 0
  // To be used again.
  std::vector<std::shared_ptr<Frame>> free_frames_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<uint32_t>> free_lanes_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<v1::Finals> free_finals_ ABSL_GUARDED_BY(mutex_);
  size_t outstanding_ ABSL_GUARDED_BY(mutex_) = 0;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  Statistics statistics_ ABSL_GUARDED_BY(mutex_);

  Workers::Tenant tenant_;  // last: its destructor waits for running lanes
};

// The borrower sees to it that a lane is touched by one thread at a time; the rest may be called
// from any. The pool outlives the loan.
class Pool::Loan {
 public:
  // Gives the lanes back as they stand, when no worker runs one any more (a step that was given up
  // aside). Whoever attaches next receives their last results.
  ~Loan();
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  const PoolSpec& spec() const { return pool_.spec_; }
  Workers& workers() const { return pool_.workers_; }
  absl::Duration step_timeout() const { return pool_.step_timeout_; }

  // What a step touches: it outlives the pool for as long as this is held.
  std::shared_ptr<const void> stage() const { return pool_.stage_; }
  LaneRunner& runner(int worker) const;
  Lane& lane(uint32_t env_id) const { return *pool_.lanes_[env_id]; }

  // The number of the lane's last operation.
  uint64_t op_no(uint32_t env_id) const { return op_nos_[env_id]; }
  // The lane's operations up to this number have run.
  void Ran(uint32_t env_id, uint64_t op_no);

  // In place of a lane that a lost worker may still touch.
  void Replace(std::unique_ptr<Lane> lane);
  void Count(const Statistics& more);

 private:
  friend class Pool;
  explicit Loan(Pool& pool) : pool_(pool) {}

  Pool& pool_;
  std::vector<uint64_t> op_nos_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_POOL_H_
