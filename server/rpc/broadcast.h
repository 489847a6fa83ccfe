// A pool's batches for those who watch it.
//
// Who calls whom: the pool's owner publishes each frame that it was sent; each observer's session
// takes frames from a Listener of its own. The owner never waits: a listener keeps the last few
// frames, and one that is too slow loses the oldest of them. It sees that from the frames' seq,
// which then has a gap.
//
// Thread-safe.
#ifndef HIVEWIRE_SERVER_RPC_BROADCAST_H_
#define HIVEWIRE_SERVER_RPC_BROADCAST_H_

#include <atomic>
#include <deque>
#include <memory>
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
    // Waits for a frame; null after Wake.
    std::shared_ptr<const v1::ServerFrame> Next();
    // The next Next, or the one that waits, returns null.
    void Wake();

   private:
    friend class Broadcast;
    void Add(const std::shared_ptr<const v1::ServerFrame>& frame);

    Mutex mutex_;
    Condition changed_;
    std::deque<std::shared_ptr<const v1::ServerFrame>> frames_ ABSL_GUARDED_BY(mutex_);
    bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  };

  // Hears what is published from now on, until the caller lets go of it.
  std::shared_ptr<Listener> Listen();
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
