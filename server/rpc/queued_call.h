// A streaming call on a CallQueue, from before it comes until after it is over: the part that all
// of them have. What happens to it is told to virtual functions, one after the other for one
// direction, on whatever thread polls the queue; they must not wait.
//
// Asked for (RequestConnect and the like) with server_context(), stream() and accepted(). Once the
// call has come: OnAccepted. Where none comes any more, because the server shuts down, or once
// nothing of the call is under way: OnGone, the last of all.
#ifndef HIVEWIRE_SERVER_RPC_QUEUED_CALL_H_
#define HIVEWIRE_SERVER_RPC_QUEUED_CALL_H_

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <atomic>

#include "base/mutex.h"
#include "server/rpc/call_queue.h"

namespace hivewire {

template <typename Received, typename Sent, typename Context = grpc::ServerContext>
class QueuedCall {
 public:
  using Stream = grpc::ServerAsyncReaderWriter<Sent, Received>;

  QueuedCall(const QueuedCall&) = delete;
  QueuedCall& operator=(const QueuedCall&) = delete;

  Context* server_context() { return &context_; }
  Stream* stream() { return &stream_; }
  void* accepted() { return Tag(accepted_); }

 protected:
  explicit QueuedCall(CallQueue& queue) : queue_(queue), hold_(queue) {
    context_.AsyncNotifyWhenDone(Tag(done_));
  }
  virtual ~QueuedCall() = default;

  CallQueue& queue() { return queue_; }

  // The call has come, and its next one may be asked for.
  virtual void OnAccepted() = 0;
  virtual void OnReadDone(bool ok) = 0;
  virtual void OnWriteDone(bool ok) = 0;
  // The client is gone, or has lost patience. Finish is still due, if it was not called.
  virtual void OnCancel() = 0;
  virtual void OnGone() = 0;

  // Not before the one before is done. `message` is the call's until then.
  void StartRead(Received* message) {
    Begin();
    MutexLock lock(reading_);
    stream_.Read(message, Tag(read_));
  }
  void StartWrite(const Sent& message) {
    Begin();
    MutexLock lock(writing_);
    stream_.Write(message, Tag(written_));
  }
  // Once, after all writes; reads may be under way.
  void Finish(const grpc::Status& status) {
    MutexLock lock(finishing_);
    stream_.Finish(status, Tag(finished_));
  }

  // Something else of the call's is under way, and is done.
  void Begin() { under_way_.fetch_add(1); }
  void End() {
    if (under_way_.fetch_sub(1) == 1) OnGone();
  }

 private:
  static void* Tag(CallQueue::Event& event) { return &event; }

  void Accepted(bool ok) {
    if (!ok) return OnGone();
    OnAccepted();
  }
  void Read(bool ok) {
    { MutexLock lock(reading_); }
    OnReadDone(ok);
    End();
  }
  void Written(bool ok) {
    { MutexLock lock(writing_); }
    OnWriteDone(ok);
    End();
  }
  void Done(bool) {
    if (context_.IsCancelled()) OnCancel();
    End();
  }
  void Finished(bool) {
    { MutexLock lock(finishing_); }
    End();
  }

  CallQueue& queue_;
  const CallQueue::Hold hold_;
  Context context_;
  Stream stream_{&context_};
  // What one thread begins may be done, on another, before the first is out of the stream: the
  // stream is begun something else with, or goes, only after that.
  Mutex reading_;
  Mutex writing_;
  Mutex finishing_;
  std::atomic<int> under_way_{2};  // until it is finished, and gRPC is done with it
  OwnersEvent<QueuedCall, &QueuedCall::Accepted> accepted_{*this};
  OwnersEvent<QueuedCall, &QueuedCall::Read> read_{*this};
  OwnersEvent<QueuedCall, &QueuedCall::Written> written_{*this};
  OwnersEvent<QueuedCall, &QueuedCall::Done> done_{*this};
  OwnersEvent<QueuedCall, &QueuedCall::Finished> finished_{*this};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_QUEUED_CALL_H_
