// A thread that owns an OpenGL context and draws images for everybody else.
//
// Who calls whom: any thread calls Render or Draw and waits; the render thread takes requests one
// by one, oldest first, and keeps a Renderer for each of the models (and qualities) it drew last.
//
// Thread-safe. The destructor fails what is still queued and joins the thread.
#ifndef HIVEWIRE_SERVER_SIM_RENDER_THREAD_H_
#define HIVEWIRE_SERVER_SIM_RENDER_THREAD_H_

#include <future>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/ring_queue.h"
#include "server/sim/gl_context.h"
#include "server/sim/renderer.h"

namespace hivewire {

class RenderThread {
 public:
  // FAILED_PRECONDITION (NO_RENDERER) where the machine has no GL.
  static absl::StatusOr<std::unique_ptr<RenderThread>> Start(
      GlContext::Backend backend = GlContext::Backend::kAny);
  ~RenderThread();
  RenderThread(const RenderThread&) = delete;
  RenderThread& operator=(const RenderThread&) = delete;

  // "egl" or "osmesa".
  const std::string& backend() const { return backend_; }

  // INVALID_ARGUMENT naming the field of a request that cannot be drawn; RESOURCE_EXHAUSTED (LIMIT)
  // where too many callers wait already; CANCELLED at the end of the thread.
  absl::StatusOr<Image> Render(const ImageRequest& request);
  // The same errors, but that a drawing is taken as it is. Allocates nothing, once the model is
  // known.
  absl::Status Draw(const Drawing& drawing);
  // Makes ready for that model: INTERNAL where MuJoCo cannot.
  absl::Status Prepare(const std::shared_ptr<const Model>& model, const RenderQuality& quality);

 private:
  using Work = absl::FunctionRef<absl::Status(Renderer&)>;
  // What a caller waits for.
  struct Job {
    const std::shared_ptr<const Model>& model;
    const RenderQuality& quality;
    Work work;
    absl::Status status;
    bool done = false;
  };

  RenderThread() = default;

  // Runs `work` on the render thread with the model's Renderer.
  absl::Status Do(const std::shared_ptr<const Model>& model, const RenderQuality& quality,
                  Work work);
  void Run(GlContext::Backend backend, std::promise<absl::StatusOr<std::string>> started);
  static absl::Status Answer(Job& job, std::list<std::unique_ptr<Renderer>>& renderers);

  Mutex mutex_;
  Condition wake_, done_;
  RingQueue<Job*> queue_ ABSL_GUARDED_BY(mutex_);
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // callers in Do
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::string backend_;
  std::thread thread_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_RENDER_THREAD_H_
