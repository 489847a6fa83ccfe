// Threads for calls that wait: as many as there are such calls at once, a few of which are kept for
// the next ones.
#ifndef HIVEWIRE_SERVER_RPC_CALL_THREADS_H_
#define HIVEWIRE_SERVER_RPC_CALL_THREADS_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace hivewire {

// Thread-safe.
class CallThreads {
 public:
  CallThreads() = default;
  // Waits for what runs.
  ~CallThreads();
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;

  // On a thread where nothing else runs meanwhile.
  void Run(std::function<void()> call);

 private:
  void Work();

  Mutex mutex_;
  Condition changed_;
  std::deque<std::function<void()>> calls_ ABSL_GUARDED_BY(mutex_);  // that no thread has taken yet
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t threads_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_CALL_THREADS_H_
