// One session stream on the wire (EnvSession.Connect): the gRPC inside of the carrier; for the
// client's transport files alone.
//
// No call waits but Next, which also moves along what was written; so somebody must be in Next
// whenever something is to happen. A read is always pending.
//
// Next and Finish from one thread at a time; Write, HalfClose and Cancel from any.
#ifndef HIVEWIRE_CLIENT_SESSION_STREAM_H_
#define HIVEWIRE_CLIENT_SESSION_STREAM_H_

#include <grpcpp/completion_queue.h>

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/mutex.h"
#include "client/grpc_channel.h"
#include "hivewire/v1/session.grpc.pb.h"

namespace hivewire {

class SessionStream {
 public:
  using Frame = std::shared_ptr<const v1::ClientFrame>;
  enum class Event { kNothing, kFrame, kEnd };

  // Opens the call and attaches; `attached` is the server's answer. The Status is the server's own
  // reason, or that of the connection.
  static absl::StatusOr<std::unique_ptr<SessionStream>> Attach(const GrpcChannel& channel,
                                                               const v1::Attach& attach,
                                                               v1::Attached& attached);
  // Breaks off a call that has not ended.
  ~SessionStream();

  // The frame leaves at once where none is before it: else (true) it waits for Next. What a broken
  // stream is given is lost.
  bool Write(Frame frame);
  // Once everything is written.
  void HalfClose();

  // Waits until a frame has come, which is swapped into `frame`, the stream has ended (kEnd, again
  // each time; Finish says why), or the deadline has passed (kNothing).
  Event Next(absl::Time deadline, v1::ServerFrame& frame);
  // After kEnd; the same each time.
  absl::Status Finish();
  // Next then comes to the end.
  void Cancel() { context_.TryCancel(); }

 private:
  // What the completion queue gives back.
  enum Tag : intptr_t { kStart = 1, kRead, kWrite, kHalfClose, kFinish };

  explicit SessionStream(const GrpcChannel& channel);

  void Handle(Tag tag, bool ok);
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const GrpcChannel& channel_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  const std::unique_ptr<v1::EnvSession::Stub> stub_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;
  // Of whoever is in Next.
  v1::ServerFrame incoming_;
  bool has_frame_ = false;
  bool ended_ = false;
  absl::optional<absl::Status> status_;

  Mutex mutex_;
  std::deque<Frame> unsent_ ABSL_GUARDED_BY(mutex_);
  // The call has not started yet, or a write is under way.
  bool writing_ ABSL_GUARDED_BY(mutex_) = true;
  bool half_close_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;  // nothing can be written any more
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_SESSION_STREAM_H_
