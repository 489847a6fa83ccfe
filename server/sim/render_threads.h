// Render threads for a number of callers who draw at the same time: each has one, so that as many
// images are drawn at once.
//
// A thread is started when its first caller comes. Thread-safe.
#ifndef HIVEWIRE_SERVER_SIM_RENDER_THREADS_H_
#define HIVEWIRE_SERVER_SIM_RENDER_THREADS_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/sim/render_thread.h"

namespace hivewire {

class RenderThreads {
 public:
  explicit RenderThreads(int num_threads) : threads_(static_cast<size_t>(num_threads)) {}

  // That of caller `caller`, counted from 0; callers beyond the number of threads share them.
  // FAILED_PRECONDITION (NO_RENDERER) where the machine has no GL.
  absl::StatusOr<RenderThread*> Get(int caller);

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<RenderThread>> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_RENDER_THREADS_H_
