// gRPC's completion queue, which the workers look after (server/pool/poller.h).
//
// A server that receives all its calls here has no thread of gRPC's that waits for messages: with
// gRPC's usual way of polling, one such thread would take what comes for all.
#ifndef HIVEWIRE_SERVER_RPC_CALL_QUEUE_H_
#define HIVEWIRE_SERVER_RPC_CALL_QUEUE_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/pool/poller.h"

namespace hivewire {

// Thread-safe.
class CallQueue final : public Poller {
 public:
  // What gRPC is given as a tag, and gives back once that is done.
  class Event {
   public:
    virtual void Happened(bool ok) = 0;

   protected:
    ~Event() = default;
  };

  // Somebody who may begin something: while there is one, the queue is needed.
  class Hold {
   public:
    explicit Hold(CallQueue& queue) : queue_(queue) { queue_.Change(1); }
    ~Hold() { queue_.Change(-1); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    CallQueue& queue_;
  };

  explicit CallQueue(grpc::ServerBuilder& builder) : queue_(builder.AddCompletionQueue()) {}
  // Ends what Wake left. Nobody holds the queue or polls it any more.
  ~CallQueue() override;
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  grpc::ServerCompletionQueue* get() { return queue_.get(); }
  // While others poll.
  void WaitForHolds();

  bool Poll(absl::Time deadline) override;
  void Wake() override;

 private:
  class Woken final : public Event {
   public:
    void Happened(bool) override { under_way.store(false); }
    std::atomic<bool> under_way{false};
  };

  void Change(int holds);

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  grpc::Alarm alarm_;  // that wakes
  Woken woken_;
  Mutex mutex_;
  Condition changed_;
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
};

// An event that a member function of its owner is told.
template <typename Owner, void (Owner::*kMember)(bool)>
class OwnersEvent final : public CallQueue::Event {
 public:
  explicit OwnersEvent(Owner& owner) : owner_(owner) {}
  void Happened(bool ok) override { (owner_.*kMember)(ok); }

 private:
  Owner& owner_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_CALL_QUEUE_H_
