// std::mutex with Clang's thread-safety annotations. (Debian's absl::Mutex is not instrumented:
// under ThreadSanitizer it reports races that are none.)
//
//   Mutex mutex_;
//   int count_ ABSL_GUARDED_BY(mutex_) = 0;
//   …
//   MutexLock lock(mutex_);
//   condition_.Wait(lock, [&] { return count_ > 0; });
#ifndef HIVEWIRE_BASE_MUTEX_H_
#define HIVEWIRE_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace hivewire {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // For a lock that is dropped in the middle of a scope.
  void Unlock() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.lock(); }

 private:
  friend class Condition;
  std::unique_lock<std::mutex> lock_;
};

class Condition {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  template <typename Predicate>
  void Wait(MutexLock& lock, Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    condition_.wait(lock.lock_, predicate);
  }

  // False where `deadline` passed first. Infinite deadlines are waited for without a clock.
  template <typename Predicate>
  bool WaitUntil(MutexLock& lock, absl::Time deadline,
                 Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (deadline == absl::InfiniteFuture()) {
      condition_.wait(lock.lock_, predicate);
      return true;
    }
    return condition_.wait_until(lock.lock_, absl::ToChronoTime(deadline), predicate);
  }

 private:
  std::condition_variable condition_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_MUTEX_H_
