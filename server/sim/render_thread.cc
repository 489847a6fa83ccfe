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
}

absl::StatusOr<Image> RenderThread::Render(const ImageRequest& request) {
  const absl::Status status = CheckImageRequest(request);
  if (!status.ok()) return status;
  std::future<absl::StatusOr<Image>> image;
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError("the renderer is shutting down");
    if (queue_.size() >= kMaxQueued) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat(queue_.size(), " images are waiting to be drawn already"));
    }
    queue_.push_back({&request, {}});
    image = queue_.back().image.get_future();
  }
  wake_.NotifyOne();
  return image.get();
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
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.Unlock();
    job.image.set_value(Draw(*job.request, renderers));
    lock.Lock();
  }
  for (Job& job : queue_) job.image.set_value(absl::CancelledError("the renderer shut down"));
  queue_.clear();
}

absl::StatusOr<Image> RenderThread::Draw(const ImageRequest& request,
                                         std::list<std::unique_ptr<Renderer>>& renderers) {
  auto found = std::find_if(renderers.begin(), renderers.end(), [&](const auto& renderer) {
    return renderer->model() == request.model;
  });
  if (found == renderers.end()) {
    if (renderers.size() == kMaxRenderers) renderers.pop_back();
    absl::StatusOr<std::unique_ptr<Renderer>> made = Renderer::Create(request.model);
    if (!made.ok()) return made.status();
    renderers.push_front(*std::move(made));
  } else {
    renderers.splice(renderers.begin(), renderers, found);
  }
  absl::StatusOr<Image> image = renderers.front()->Render(request);
  if (!image.ok()) renderers.pop_front();
  return image;
}

}  // namespace hivewire
