#include "server/pool/workers.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace hivewire {
namespace {

// Items that a worker takes at once: few enough to share the end of a job evenly and to let other
// pools in between, many enough that the lock costs nothing beside a step.
constexpr size_t kMaxShare = 8;

}  // namespace

Workers::Tenant::Tenant(Workers& workers) : workers_(workers) {}

Workers::Tenant::~Tenant() {
  MutexLock lock(workers_.mutex_);
  queue_.clear();
  if (scheduled_) {
    auto& tenants = workers_.tenants_;
    tenants.erase(std::find(tenants.begin(), tenants.end(), this));
  }
  workers_.idle_.Wait(lock, [this] { return running_ == 0; });
}

void Workers::Tenant::Post(std::shared_ptr<Job> job) {
  const size_t items = job->size();
  if (items == 0) return;
  {
    MutexLock lock(workers_.mutex_);
    queue_.push_back({std::move(job), 0});
    if (!scheduled_) {
      workers_.tenants_.push_back(this);
      scheduled_ = true;
    }
  }
  if (items == 1) {
    workers_.work_.NotifyOne();
  } else {
    workers_.work_.NotifyAll();
  }
}

Workers::Workers(int num_threads) {
  threads_.reserve(static_cast<size_t>(num_threads));
  for (int worker = 0; worker < num_threads; ++worker) {
    threads_.emplace_back([this, worker] { Run(worker); });
    pthread_setname_np(threads_.back().native_handle(), kWorkerThreadName);
  }
}

Workers::~Workers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

std::shared_ptr<Engines> Workers::EnginesFor(const std::shared_ptr<const Model>& model) {
  MutexLock lock(mutex_);
  absl::erase_if(engines_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Engines>& known = engines_[model.get()];
  std::shared_ptr<Engines> engines = known.lock();
  if (engines == nullptr) {
    engines = std::make_shared<Engines>(model, size());
    known = engines;
  }
  return engines;
}

Workers::Share Workers::Take() {
  Tenant* tenant = tenants_.front();
  tenants_.pop_front();
  Tenant::Queued& queued = tenant->queue_.front();
  const size_t left = queued.job->size() - queued.next;
  const size_t even = left / (2 * threads_.size());
  const size_t count = std::clamp<size_t>(even, 1, kMaxShare);
  Share share{tenant, queued.job, queued.next, queued.next + count};
  queued.next += count;
  if (queued.next == queued.job->size()) tenant->queue_.pop_front();
  tenant->scheduled_ = !tenant->queue_.empty();
  if (tenant->scheduled_) tenants_.push_back(tenant);
  ++tenant->running_;
  return share;
}

void Workers::Run(int worker) {
  MutexLock lock(mutex_);
  while (true) {
    work_.Wait(lock,
               [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return stopping_ || !tenants_.empty(); });
    if (stopping_) return;
    Share share = Take();
    lock.Unlock();
    for (size_t index = share.begin; index < share.end; ++index) share.job->Run(worker, index);
    share.job.reset();
    lock.Lock();
    if (--share.tenant->running_ == 0) idle_.NotifyAll();
  }
}

}  // namespace hivewire
