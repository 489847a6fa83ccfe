// A pool's batches for those who watch it.
//
// Who calls whom: the pool's owner publishes each frame that it was sent; each observer's session
// is told, and takes the frames from a Listener of its own. The owner never waits: a listener keeps
// the last few frames, and one that is too slow loses the oldest of them. It sees that from the
// frames' seq, which then has a gap.
//
// Thread-safe.
#ifndef HIVEWIRE_SERVER_RPC_BROADCAST_H_
#define HIVEWIRE_SERVER_RPC_BROADCAST_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "hivewire/v1/session.pb.h"

namespace hivewire {

class Broadcast {
 public:
  static constexpr size_t kKept = 16;  // frames a listener

  class Listener {
   public:
    explicit Listener(std::function<void()> on_news) : on_news_(std::move(on_news)) {}
    // The next frame, or null.
    std::shared_ptr<const v1::ServerFrame> Take();

   private:
    friend class Broadcast;
    void Add(const std::shared_ptr<const v1::ServerFrame>& frame);

    const std::function<void()> on_news_;
    Mutex mutex_;
    std::deque<std::shared_ptr<const v1::ServerFrame>> frames_ ABSL_GUARDED_BY(mutex_);
  };

  // Hears what is published from now on, until the caller lets go of it. `on_news` is called after
  // each frame, and by WakeAll, from the thread that publishes; it must not wait.
  std::shared_ptr<Listener> Listen(std::function<void()> on_news);
  // Copies the frame, if anybody listens.
  void Publish(const v1::ServerFrame& frame);
  void WakeAll();

 private:
  std::vector<std::shared_ptr<Listener>> Listeners();

  std::atomic<bool> anybody_{false};
  Mutex mutex_;
  std::vector<std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_BROADCAST_H_
