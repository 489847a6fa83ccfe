// The server's worker threads, shared by every pool.
//
// A tenant (a pool) posts jobs: so many items, each run once, on any worker. Workers take a few
// items at a time, from the oldest job of one tenant after the other in turn, so a large pool does
// not hold up a small one.
//
// Thread-safe. The destructor joins the threads; all tenants must be gone by then.
#ifndef HIVEWIRE_SERVER_POOL_WORKERS_H_
#define HIVEWIRE_SERVER_POOL_WORKERS_H_

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "server/pool/engines.h"

namespace hivewire {

// What the threads are called, for tools that look at threads (top -H, perf).
inline constexpr char kWorkerThreadName[] = "env-worker";

class Workers {
 public:
  class Job {
   public:
    virtual ~Job() = default;
    virtual size_t size() const = 0;
    // Item `index` < size(), on the thread of worker `worker`.
    virtual void Run(int worker, size_t index) = 0;
  };

  // The jobs of one pool. Destroying it drops the items that no worker has begun and waits for the
  // others.
  class Tenant {
   public:
    explicit Tenant(Workers& workers);
    ~Tenant();
    Tenant(const Tenant&) = delete;
    Tenant& operator=(const Tenant&) = delete;

    void Post(std::shared_ptr<Job> job);

   private:
    friend class Workers;
    struct Queued {
      std::shared_ptr<Job> job;
      size_t next = 0;
    };

    Workers& workers_;
    // The rest is guarded by workers_.mutex_.
    std::deque<Queued> queue_;
    bool scheduled_ = false;  // stands in workers_.tenants_
    int running_ = 0;         // workers that hold items of it
  };

  explicit Workers(int num_threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int size() const { return static_cast<int>(threads_.size()); }

  // One Simulation a worker for `model`, shared by all pools that use that model.
  std::shared_ptr<Engines> EnginesFor(const std::shared_ptr<const Model>& model);

 private:
  struct Share {
    Tenant* tenant = nullptr;
    std::shared_ptr<Job> job;
    size_t begin = 0;
    size_t end = 0;
  };

  void Run(int worker);
  Share Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  Condition work_;
  Condition idle_;
  std::deque<Tenant*> tenants_ ABSL_GUARDED_BY(mutex_);  // those with queued items, next first
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const Model*, std::weak_ptr<Engines>> engines_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_WORKERS_H_
