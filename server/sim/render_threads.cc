#include "server/sim/render_threads.h"

#include <utility>

namespace hivewire {

absl::StatusOr<RenderThread*> RenderThreads::Get(int caller) {
  MutexLock lock(mutex_);
  std::unique_ptr<RenderThread>& thread = threads_[static_cast<size_t>(caller) % threads_.size()];
  if (thread == nullptr) {
    absl::StatusOr<std::unique_ptr<RenderThread>> started = RenderThread::Start();
    if (!started.ok()) return started.status();
    thread = *std::move(started);
  }
  return thread.get();
}

}  // namespace hivewire
