// The server's worker threads, shared by every pool.
//
// A tenant (a pool) posts jobs: so many items, each run once, on any worker. Workers take items for
// a short time's work, a turn, from the oldest job of the tenant that had the fewest turns for its
// weight since it has had work; so a large pool does not hold up a small one, and one that comes
// with a single item now and then goes before those that have work all the time. (Start-time fair
// queueing, Goyal, Vin and Cheng 1996, in turns instead of packets' bytes.)
//
// Workers also look after a Poller, if they are given one: between items now and then, and one of
// those that have nothing to do all the time. While all are in long items, a thread of its own
// stands in for them.
//
// A watchdog thread looks for items that take longer than their tenant allows. Such an item is
// given up: its tenant is told, and its worker is left to itself and replaced by one with a number
// of its own, so that whatever the lost thread still does meets nobody. It ends when its item does.
// An item of several parts renews its time before each of them (Turn).
// This is done kMaxReplacements times; after that the workers become fewer.
//
// Thread-safe. The destructor joins the threads, but for lost ones; all tenants must be gone by
// then.
#ifndef HIVEWIRE_SERVER_POOL_WORKERS_H_
#define HIVEWIRE_SERVER_POOL_WORKERS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/ring_queue.h"
#include "server/pool/engines.h"
#include "server/pool/poller.h"
#include "server/sim/render_threads.h"

namespace hivewire {

// What the threads are called, for tools that look at threads (top -H, perf).
inline constexpr char kWorkerThreadName[] = "env-worker";

class Workers {
 private:
  struct Seat;

 public:
  // A worker's turn at an item.
  class Turn {
   public:
    Turn(int worker, Seat& seat) : worker_(worker), seat_(seat) {}

    int worker() const { return worker_; }
    // Starts the item's time anew. False where it was given up meanwhile: Run then returns at once
    // and touches nothing. Where it is true, GiveUp sees all that was done before.
    bool Renew();

   private:
    const int worker_;
    Seat& seat_;
  };

  class Job {
   public:
    virtual ~Job() = default;
    virtual size_t size() const = 0;
    // Item `index` < size(), on the thread of the turn's worker. May only touch what the job keeps
    // alive, and nothing that Done or GiveUp touch: it may go on after GiveUp.
    virtual void Run(Turn& turn, size_t index) = 0;
    // After Run, on the same thread, unless the item was given up.
    virtual void Done(size_t index) = 0;
    // Instead of Done: `Run` takes too long, or there is no worker left to run it.
    virtual void GiveUp(size_t index, const absl::Status& status) = 0;
  };

  static constexpr int kMaxReplacements = 4;

  // The jobs of one pool. Destroying it drops the items that no worker has begun and waits for the
  // others.
  class Tenant {
   public:
    // Items may take `timeout`, and up to half as much again until that is noticed. It has `weight`
    // times as many turns as one of weight 1.
    Tenant(Workers& workers, absl::Duration timeout, uint32_t weight = 1);
    ~Tenant();
    Tenant(const Tenant&) = delete;
    Tenant& operator=(const Tenant&) = delete;

    void Post(std::shared_ptr<Job> job);

   private:
    friend class Workers;
    struct Queued {
      std::shared_ptr<Job> job;
      size_t next = 0;
      size_t end = 0;
    };

    Workers& workers_;
    const absl::Duration timeout_;
    const double turn_;  // what it is charged for one
    // The rest is guarded by workers_.mutex_.
    RingQueue<Queued> queue_;
    bool scheduled_ = false;  // stands in workers_.tenants_
    double charged_ = 0;
    uint64_t order_ = 0;  // among equals
    bool closing_ = false;
    int running_ = 0;         // workers that hold items of it
    int64_t item_nanos_ = 0;  // what its last items took, roughly
  };

  // `render`: whether lanes may have images (of machines that have GL).
  explicit Workers(int num_threads, bool render = true);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Threads that were asked for.
  int size() const { return size_; }
  // Numbers that workers may have, replacements included.
  int max_workers() const { return size_ + kMaxReplacements; }
  // OK, or (STEP_TIMEOUT) why nothing can be run any more.
  absl::Status CheckAlive() const;

  // Looks after `poller` from now on, or (null) no more: then nobody is in it any longer. To be
  // null again at the end.
  void SetPoller(Poller* poller);

  // Who draws for the workers, one for each of them; null where nobody may.
  const std::shared_ptr<RenderThreads>& renderers() const { return renderers_; }

  // One Simulation a worker for `model`, shared by all pools that use that model.
  std::shared_ptr<Engines> EnginesFor(const std::shared_ptr<const Model>& model);

 private:
  struct Share {
    Tenant* tenant = nullptr;
    std::shared_ptr<Job> job;
    size_t begin = 0;
    size_t end = 0;
  };

  static bool Later(const Tenant* left, const Tenant* right);
  void Schedule(Tenant& tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Unschedule(Tenant& tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void StartWorker(int worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(int worker, const std::shared_ptr<Seat>& seat);
  void WaitForWork(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Looks for work, or for who may bring some, for a while.
  void Look(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether something came.
  bool Poll(MutexLock& lock, absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool PollAsWorker(MutexLock& lock, absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // All that has come, as far as it is not too much.
  void PollMore(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Between two shares.
  void PollNowAndThen(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The worker that waits there, if any, is to look at what is queued.
  void WakePoll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has a worker that sleeps look for work, as one alone does not keep up with what comes, or
  // begins something long.
  void CallLooker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StandIn();
  Share Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Watch();
  void GiveUp(int worker, Seat& seat);
  absl::Status NoneLeft() const;

  const int size_;
  const std::shared_ptr<RenderThreads> renderers_;
  mutable Mutex mutex_;
  Condition work_;
  Condition idle_;
  // Those with queued items, as a heap: the next one first.
  std::vector<Tenant*> tenants_ ABSL_GUARDED_BY(mutex_);
  double charged_ ABSL_GUARDED_BY(mutex_) = 0;  // the tenant that was taken from last, before
  uint64_t order_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<uint64_t> posts_{0};
  bool looking_ ABSL_GUARDED_BY(mutex_) = false;  // an idle worker looks for work, or waits in Poll
  bool waits_in_poll_ ABSL_GUARDED_BY(mutex_) = false;  // … and this is it
  bool poll_woken_ ABSL_GUARDED_BY(mutex_) = false;     // … and is woken
  bool looker_called_ ABSL_GUARDED_BY(mutex_) = false;
  int asleep_ ABSL_GUARDED_BY(mutex_) = 0;  // workers that wait for work_
  Poller* poller_ ABSL_GUARDED_BY(mutex_) = nullptr;
  int polling_ ABSL_GUARDED_BY(mutex_) = 0;  // threads that are in it
  uint64_t polls_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_poll_ ABSL_GUARDED_BY(mutex_) = 0;  // steady ns
  Condition unpolled_;  // nobody is in poller_, and somebody waits for that
  Condition stand_in_needless_;
  std::thread stand_in_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const Model*, std::weak_ptr<Engines>> engines_ ABSL_GUARDED_BY(mutex_);
  // By number; those of lost workers are detached.
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Seat>> seats_ ABSL_GUARDED_BY(mutex_);
  int alive_ ABSL_GUARDED_BY(mutex_) = 0;
  std::multiset<absl::Duration> timeouts_ ABSL_GUARDED_BY(mutex_);  // of the tenants
  Condition watch_;
  std::thread watchdog_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_WORKERS_H_
