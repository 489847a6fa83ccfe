#include "server/pool/workers.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

// Items that a worker takes at once: few enough to share the end of a job evenly, many enough that
// the lock costs nothing beside a step; and no more than take so long, for others wait meanwhile.
constexpr size_t kMaxShare = 8;
constexpr int64_t kShareNanos = 100000;

// An idle worker looks for work so long before it sleeps, one at a time: to wake a thread that
// sleeps takes longer than many a step.
constexpr int64_t kLookNanos = 100000;

// How often busy workers look after the poller, and after how long somebody does so for them.
constexpr int64_t kPollNanos = 100000;
constexpr int kMostNews = 16;                // … of which so many are handled at once
constexpr int64_t kLongItemNanos = 1000000;  // too long for a message to wait
constexpr absl::Duration kStandInAfter = absl::Milliseconds(5);

// How often the watchdog looks: this part of the shortest timeout.
constexpr int kLooksPerTimeout = 4;
constexpr absl::Duration kShortestLook = absl::Milliseconds(5);
constexpr absl::Duration kLongestLook = absl::Seconds(1);

constexpr int64_t kIdle = 0;
constexpr int64_t kGivenUp = -1;

// Whose worker this thread is that is in their poller, and so takes work next.
thread_local const Workers* polls_for = nullptr;

int64_t SteadyNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// What a worker does, for the watchdog. Shared with the worker's thread, which may outlive the
// Workers.
struct Workers::Seat {
  // Steady nanoseconds until which the item may take, kIdle or kGivenUp. Whoever changes it from a
  // deadline owns the rest: the worker when its item is done, or else the watchdog.
  std::atomic<int64_t> deadline{kIdle};
  int64_t timeout = 0;  // ns that the item, or its next part, may take; the worker's own
  Share share;          // begin is the item that runs
  // The watchdog's: the deadline that had passed when it looked last. An item is given up when it
  // is still there at the next look, so that a process that was stopped has time to go on.
  int64_t suspect = kIdle;
};

bool Workers::Turn::Renew() {
  int64_t deadline = seat_.deadline.load(std::memory_order_relaxed);
  return deadline != kGivenUp &&
         seat_.deadline.compare_exchange_strong(deadline, SteadyNanos() + seat_.timeout,
                                                std::memory_order_acq_rel);
}

Workers::Tenant::Tenant(Workers& workers, absl::Duration timeout, uint32_t weight)
    : workers_(workers), timeout_(timeout), turn_(1.0 / weight) {
  MutexLock lock(workers_.mutex_);
  workers_.timeouts_.insert(timeout_);
  workers_.watch_.NotifyAll();
}

Workers::Tenant::~Tenant() {
  MutexLock lock(workers_.mutex_);
  closing_ = true;
  queue_.clear();
  if (scheduled_) workers_.Unschedule(*this);
  workers_.idle_.Wait(lock, [this] { return running_ == 0; });
  workers_.timeouts_.erase(workers_.timeouts_.find(timeout_));
}

void Workers::Tenant::Post(std::shared_ptr<Job> job) {
  const size_t items = job->size();
  if (items == 0) return;
  size_t wanted = items;
  {
    MutexLock lock(workers_.mutex_);
    if (workers_.alive_ == 0) {
      const absl::Status status = workers_.NoneLeft();
      lock.Unlock();
      for (size_t index = 0; index < items; ++index) job->GiveUp(index, status);
      return;
    }
    queue_.push_back({std::move(job), 0, items});
    if (!scheduled_) {
      charged_ = std::max(charged_, workers_.charged_);  // turns that it did not need are gone
      workers_.Schedule(*this);
    }
    workers_.posts_.fetch_add(1, std::memory_order_release);
    // A worker that looks takes an item, unless it has another to take before; and so does the one
    // whose poller brought this.
    const bool polls = polls_for == &workers_;
    const bool waits = workers_.waits_in_poll_ && !polls;
    const bool looks = workers_.looking_ && !workers_.waits_in_poll_;
    if ((looks || polls) && workers_.tenants_.size() == 1 && queue_.size() == 1) --wanted;
    const size_t asleep = static_cast<size_t>(workers_.asleep_);
    if (waits && (wanted > asleep || workers_.tenants_.size() > asleep)) workers_.WakePoll();
  }
  if (wanted > 1) {
    workers_.work_.NotifyAll();
  } else if (wanted == 1) {
    workers_.work_.NotifyOne();
  }
}

Workers::Workers(int num_threads, bool render)
    : size_(num_threads),
      renderers_(render ? std::make_shared<RenderThreads>(num_threads) : nullptr) {
  MutexLock lock(mutex_);
  for (int worker = 0; worker < num_threads; ++worker) StartWorker(worker);
  watchdog_ = std::thread([this] { Watch(); });
}

Workers::~Workers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  watch_.NotifyAll();
  watchdog_.join();
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::StartWorker(int worker) {
  const auto seat = std::make_shared<Seat>();
  seats_.push_back(seat);
  threads_.emplace_back([this, worker, seat] { Run(worker, seat); });
  pthread_setname_np(threads_.back().native_handle(), kWorkerThreadName);
  ++alive_;
}

std::shared_ptr<Engines> Workers::EnginesFor(const std::shared_ptr<const Model>& model) {
  MutexLock lock(mutex_);
  absl::erase_if(engines_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Engines>& known = engines_[model.get()];
  std::shared_ptr<Engines> engines = known.lock();
  if (engines == nullptr) {
    engines = std::make_shared<Engines>(model, max_workers());
    known = engines;
  }
  return engines;
}

bool Workers::Later(const Tenant* left, const Tenant* right) {
  return left->charged_ != right->charged_ ? left->charged_ > right->charged_
                                           : left->order_ > right->order_;
}

void Workers::Schedule(Tenant& tenant) {
  tenant.scheduled_ = true;
  tenant.order_ = order_++;
  tenants_.push_back(&tenant);
  std::push_heap(tenants_.begin(), tenants_.end(), Later);
}

void Workers::Unschedule(Tenant& tenant) {
  tenant.scheduled_ = false;
  tenants_.erase(std::find(tenants_.begin(), tenants_.end(), &tenant));
  std::make_heap(tenants_.begin(), tenants_.end(), Later);
}

Workers::Share Workers::Take() {
  std::pop_heap(tenants_.begin(), tenants_.end(), Later);
  Tenant* tenant = tenants_.back();
  tenants_.pop_back();
  charged_ = tenant->charged_;
  tenant->charged_ += tenant->turn_;
  Tenant::Queued& queued = tenant->queue_.front();
  const size_t even = (queued.end - queued.next) / (2 * static_cast<size_t>(size_));
  const int64_t quick = kShareNanos / std::max<int64_t>(tenant->item_nanos_, 1);
  const size_t most = static_cast<size_t>(std::clamp<int64_t>(quick, 1, kMaxShare));
  const size_t count = std::clamp<size_t>(even, 1, most);
  Share share{tenant, queued.job, queued.next, queued.next + count};
  queued.next += count;
  if (queued.next == queued.end) tenant->queue_.pop_front();
  tenant->scheduled_ = false;
  if (!tenant->queue_.empty()) Schedule(*tenant);
  ++tenant->running_;
  return share;
}

void Workers::WaitForWork(MutexLock& lock) {
  while (!stopping_ && tenants_.empty()) {
    if (!looking_) {
      looking_ = true;
      looker_called_ = false;
      Look(lock);
      if (poller_ != nullptr && !stopping_ && tenants_.empty()) {
        waits_in_poll_ = true;
        poll_woken_ = false;
        PollAsWorker(lock, absl::InfiniteFuture());
        waits_in_poll_ = false;
        if (poller_ != nullptr && !tenants_.empty()) PollMore(lock);
      }
      looking_ = false;
      if (poller_ != nullptr) continue;
    }
    ++asleep_;
    work_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return stopping_ || !tenants_.empty() || (looker_called_ && !looking_);
    });
    --asleep_;
  }
}

void Workers::Look(MutexLock& lock) {
  const int64_t until = SteadyNanos() + kLookNanos;
  while (!stopping_ && tenants_.empty() && SteadyNanos() < until) {
    const bool polls = poller_ != nullptr;
    const uint64_t seen = posts_.load(std::memory_order_relaxed);
    if (polls) PollAsWorker(lock, absl::InfinitePast());
    if (!tenants_.empty()) {
      if (polls) PollMore(lock);
      return;
    }
    lock.Unlock();
    do {
      sched_yield();
    } while (!polls && posts_.load(std::memory_order_acquire) == seen && SteadyNanos() < until);
    lock.Lock();
  }
}

bool Workers::Poll(MutexLock& lock, absl::Time deadline) {
  Poller& poller = *poller_;
  ++polling_;
  ++polls_;
  lock.Unlock();
  const bool came = poller.Poll(deadline);
  lock.Lock();
  if (--polling_ == 0 && poller_ == nullptr) unpolled_.NotifyAll();
  return came;
}

bool Workers::PollAsWorker(MutexLock& lock, absl::Time deadline) {
  polls_for = this;
  const bool came = Poll(lock, deadline);
  polls_for = nullptr;
  return came;
}

void Workers::PollNowAndThen(MutexLock& lock) {
  if (poller_ == nullptr || waits_in_poll_) return;
  const int64_t now = SteadyNanos();
  if (now - last_poll_ < kPollNanos) return;
  last_poll_ = now;
  PollMore(lock);
}

void Workers::PollMore(MutexLock& lock) {
  for (int k = 0; k < kMostNews && poller_ != nullptr; ++k) {
    if (!PollAsWorker(lock, absl::InfinitePast())) break;
  }
  if (tenants_.size() > 1) CallLooker();
}

void Workers::WakePoll() {
  if (!waits_in_poll_ || poll_woken_ || poller_ == nullptr) return;
  poll_woken_ = true;
  poller_->Wake();
}

void Workers::CallLooker() {
  if (asleep_ == 0) return;
  looker_called_ = true;
  work_.NotifyOne();
}

void Workers::SetPoller(Poller* poller) {
  std::thread stand_in;
  {
    MutexLock lock(mutex_);
    Poller* const before = std::exchange(poller_, poller);
    stand_in_needless_.NotifyAll();
    // What woke one may have been meant for another.
    constexpr absl::Duration kTryAgain = absl::Milliseconds(1);
    while (before != nullptr && polling_ > 0) {
      before->Wake();
      unpolled_.WaitUntil(lock, absl::Now() + kTryAgain,
                          [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return polling_ == 0; });
    }
    stand_in.swap(stand_in_);
  }
  if (stand_in.joinable()) stand_in.join();
  if (poller == nullptr) return;
  MutexLock lock(mutex_);
  stand_in_ = std::thread([this] { StandIn(); });
  looker_called_ = true;
  work_.NotifyOne();
}

void Workers::StandIn() {
  MutexLock lock(mutex_);
  const auto over = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return poller_ == nullptr; };
  while (!over()) {
    const uint64_t seen = polls_;
    if (stand_in_needless_.WaitUntil(lock, absl::Now() + kStandInAfter, over)) return;
    if (polls_ == seen && polling_ == 0) Poll(lock, absl::Now() + kStandInAfter);
  }
}

void Workers::Run(int worker, const std::shared_ptr<Seat>& seat) {
  MutexLock lock(mutex_);
  while (true) {
    WaitForWork(lock);
    if (stopping_) return;
    seat->share = Take();
    // Whoever posted may have counted on this worker for what is left, too.
    if (asleep_ == 0 && !tenants_.empty()) WakePoll();
    const int64_t expected = seat->share.tenant->item_nanos_;
    if (poller_ != nullptr && !looking_ && (expected == 0 || expected > kLongItemNanos))
      CallLooker();
    lock.Unlock();
    Share& share = seat->share;
    const std::shared_ptr<Job> job = share.job;
    seat->timeout = absl::ToInt64Nanoseconds(share.tenant->timeout_);
    const int64_t items = static_cast<int64_t>(share.end - share.begin);
    const int64_t begun = SteadyNanos();
    Turn turn(worker, *seat);
    for (; share.begin < share.end; ++share.begin) {
      seat->deadline.store(SteadyNanos() + seat->timeout, std::memory_order_release);
      job->Run(turn, share.begin);
      // Given up: whoever did that did the rest, and nothing here is this thread's any more.
      int64_t deadline = seat->deadline.load(std::memory_order_relaxed);
      if (deadline == kGivenUp ||
          !seat->deadline.compare_exchange_strong(deadline, kIdle, std::memory_order_acq_rel))
        return;
      job->Done(share.begin);
    }
    share.job.reset();
    const int64_t nanos = (SteadyNanos() - begun) / items;
    lock.Lock();
    share.tenant->item_nanos_ = nanos;
    if (--share.tenant->running_ == 0) idle_.NotifyAll();
    PollNowAndThen(lock);
  }
}

void Workers::Watch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (timeouts_.empty()) {
      watch_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return stopping_ || !timeouts_.empty();
      });
      continue;
    }
    const absl::Duration look =
        std::clamp(*timeouts_.begin() / kLooksPerTimeout, kShortestLook, kLongestLook);
    const absl::Duration seen = *timeouts_.begin();
    watch_.WaitUntil(lock, absl::Now() + look, [this, seen]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return stopping_ || (!timeouts_.empty() && *timeouts_.begin() < seen);
    });
    const int64_t now = SteadyNanos();
    for (size_t worker = 0; worker < seats_.size(); ++worker) {
      const std::shared_ptr<Seat> seat = seats_[worker];
      int64_t deadline = seat->deadline.load(std::memory_order_acquire);
      const bool late = deadline > kIdle && deadline < now;
      if (late && seat->suspect == deadline &&
          seat->deadline.compare_exchange_strong(deadline, kGivenUp, std::memory_order_acq_rel)) {
        lock.Unlock();
        GiveUp(static_cast<int>(worker), *seat);
        lock.Lock();
      }
      seat->suspect = late ? deadline : kIdle;
    }
  }
}

void Workers::GiveUp(int worker, Seat& seat) {
  Share share = std::move(seat.share);
  share.job->GiveUp(share.begin,
                    MakeError(v1::ERROR_REASON_STEP_TIMEOUT,
                              absl::StrCat("the step took longer than ",
                                           absl::FormatDuration(share.tenant->timeout_),
                                           "; its worker was left to itself")));
  MutexLock lock(mutex_);
  threads_[static_cast<size_t>(worker)].detach();
  --alive_;
  Tenant& tenant = *share.tenant;
  if (share.begin + 1 < share.end && !tenant.closing_) {
    tenant.queue_.push_front({share.job, share.begin + 1, share.end});
    if (!tenant.scheduled_) Schedule(tenant);
  }
  if (static_cast<int>(threads_.size()) < max_workers()) {
    StartWorker(static_cast<int>(threads_.size()));
  } else if (alive_ == 0) {
    // Nobody would ever run what waits.
    for (; !tenants_.empty(); tenants_.pop_back()) {
      Tenant& waiting = *tenants_.back();
      waiting.scheduled_ = false;
      for (; !waiting.queue_.empty(); waiting.queue_.pop_front()) {
        const Tenant::Queued& queued = waiting.queue_.front();
        // Its pool must not go before it was told.
        for (size_t index = queued.next; index < queued.end; ++index)
          queued.job->GiveUp(index, NoneLeft());
      }
    }
  }
  if (--tenant.running_ == 0) idle_.NotifyAll();
}

absl::Status Workers::NoneLeft() const {
  return MakeError(
      v1::ERROR_REASON_STEP_TIMEOUT,
      absl::StrCat("all ", max_workers(),
                   " workers of this server hang in steps that took too long: restart it"));
}

absl::Status Workers::CheckAlive() const {
  MutexLock lock(mutex_);
  return alive_ > 0 ? absl::OkStatus() : NoneLeft();
}

}  // namespace hivewire
