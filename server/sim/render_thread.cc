#include "server/sim/render_thread.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

constexpr size_t kMaxQueued = 256;
// Each holds textures and frame buffers.
constexpr size_t kMaxRenderers = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<RenderThread>> RenderThread::Start(GlContext::Backend backend) {
  std::promise<absl::StatusOr<std::string>> started;
  std::future<absl::StatusOr<std::string>> outcome = started.get_future();
  std::unique_ptr<RenderThread> thread(new RenderThread);
  thread->thread_ = std::thread(&RenderThread::Run, thread.get(), backend, std::move(started));
  absl::StatusOr<std::string> name = outcome.get();
  if (!name.ok()) return name.status();
  thread->backend_ = *std::move(name);
  return thread;
}

RenderThread::~RenderThread() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyOne();
  thread_.join();
  MutexLock lock(mutex_);
  done_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return waiting_ == 0; });
}

absl::StatusOr<Image> RenderThread::Render(const ImageRequest& request) {
  absl::Status status = CheckImageRequest(request);
  if (!status.ok()) return status;
  Image image;
  status = Do(request.model, request.quality, [&](Renderer& renderer) {
    absl::StatusOr<Image> drawn = renderer.Render(request);
    if (drawn.ok()) image = *std::move(drawn);
    return drawn.status();
  });
  if (!status.ok()) return status;
  return image;
}

absl::Status RenderThread::Draw(const Drawing& drawing) {
  return Do(drawing.scene.model(), drawing.quality,
            [&](Renderer& renderer) { return renderer.Draw(drawing); });
}

absl::Status RenderThread::Prepare(const std::shared_ptr<const Model>& model,
                                   const RenderQuality& quality) {
  return Do(model, quality, [](Renderer&) { return absl::OkStatus(); });
}

absl::Status RenderThread::Do(const std::shared_ptr<const Model>& model,
                              const RenderQuality& quality, Work work) {
  Job job{model, quality, work, absl::OkStatus()};
  MutexLock lock(mutex_);
  if (stopping_) return absl::CancelledError("the renderer is shutting down");
  if (queue_.size() >= kMaxQueued) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat(queue_.size(), " images are waiting to be drawn already"));
  }
  queue_.push_back(&job);
  ++waiting_;
  wake_.NotifyOne();
  done_.Wait(lock, [&job] { return job.done; });
  if (--waiting_ == 0) done_.NotifyAll();  // the destructor may wait for that
  return std::move(job.status);
}

void RenderThread::Run(GlContext::Backend backend,
                       std::promise<absl::StatusOr<std::string>> started) {
  const absl::StatusOr<std::unique_ptr<GlContext>> context = GlContext::Create(backend);
  if (!context.ok()) {
    started.set_value(context.status());
    return;
  }
  started.set_value(std::string((*context)->backend()));
  // Destroyed before the context.
  std::list<std::unique_ptr<Renderer>> renderers;
  MutexLock lock(mutex_);
  while (true) {
    wake_.Wait(lock,
               [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return stopping_ || !queue_.empty(); });
    if (stopping_) break;
    Job& job = *queue_.front();
    queue_.pop_front();
    lock.Unlock();
    absl::Status status = Answer(job, renderers);
    lock.Lock();
    job.status = std::move(status);
    job.done = true;
    done_.NotifyAll();
  }
  for (; !queue_.empty(); queue_.pop_front()) {
    queue_.front()->status = absl::CancelledError("the renderer shut down");
    queue_.front()->done = true;
  }
  done_.NotifyAll();
}

absl::Status RenderThread::Answer(Job& job, std::list<std::unique_ptr<Renderer>>& renderers) {
  auto found = std::find_if(renderers.begin(), renderers.end(), [&](const auto& renderer) {
    return renderer->model() == job.model && renderer->quality() == job.quality;
  });
  if (found == renderers.end()) {
    if (renderers.size() == kMaxRenderers) renderers.pop_back();
    absl::StatusOr<std::unique_ptr<Renderer>> made = Renderer::Create(job.model, job.quality);
    if (!made.ok()) return made.status();
    renderers.push_front(*std::move(made));
  } else {
    renderers.splice(renderers.begin(), renderers, found);
  }
  absl::Status status = job.work(*renderers.front());
  if (!status.ok()) renderers.pop_front();
  return status;
}

}  // namespace hivewire
