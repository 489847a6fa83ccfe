#include "server/rpc/call_threads.h"

#include <utility>

namespace hivewire {
namespace {

constexpr size_t kKept = 4;

}  // namespace

CallThreads::~CallThreads() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
  changed_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return threads_ == 0; });
}

void CallThreads::Run(std::function<void()> call) {
  MutexLock lock(mutex_);
  calls_.push_back(std::move(call));
  if (idle_ >= calls_.size()) return changed_.NotifyOne();
  ++threads_;
  std::thread([this] { Work(); }).detach();
}

void CallThreads::Work() {
  MutexLock lock(mutex_);
  while (true) {
    if (calls_.empty()) {
      if (stopping_ || idle_ >= kKept) break;
      ++idle_;
      changed_.Wait(
          lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return stopping_ || !calls_.empty(); });
      --idle_;
      continue;
    }
    const std::function<void()> call = std::move(calls_.front());
    calls_.pop_front();
    lock.Unlock();
    call();
    lock.Lock();
  }
  if (--threads_ == 0) changed_.NotifyAll();
}

}  // namespace hivewire
