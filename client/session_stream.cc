#include "client/session_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {

SessionStream::SessionStream(const GrpcChannel& channel)
    : channel_(channel), stub_(v1::EnvSession::NewStub(channel.channel())) {
  channel_.Prepare(context_);
  stream_ = stub_->Connect(&context_);
}

absl::StatusOr<std::unique_ptr<SessionStream>> SessionStream::Attach(const GrpcChannel& channel,
                                                                     const v1::Attach& attach,
                                                                     v1::Attached& attached) {
  std::unique_ptr<SessionStream> stream(new SessionStream(channel));
  v1::ClientFrame frame;
  *frame.mutable_attach() = attach;
  stream->Write(frame);
  v1::ServerFrame reply;
  const bool received = stream->Read(reply);
  if (received && reply.has_attached()) {
    attached.Swap(reply.mutable_attached());
    return stream;
  }
  if (received && reply.has_fatal()) {
    return Annotate(FromProto(reply.fatal().status()), channel.address());
  }
  if (received) {
    return absl::InternalError(
        absl::StrCat(channel.address(), ": the server did not answer Attach with Attached"));
  }
  const absl::Status status = stream->Finish();
  return status.ok() ? absl::UnavailableError(absl::StrCat(
                           channel.address(), ": the server ended the session before it began"))
                     : status;
}

SessionStream::~SessionStream() {
  if (finished_) return;
  Cancel();
  Finish().IgnoreError();
}

void SessionStream::HalfClose() {
  if (std::exchange(half_closed_, true)) return;
  stream_->WritesDone();
}

absl::Status SessionStream::Finish() {
  finished_ = true;
  return channel_.ToStatus(stream_->Finish());
}

}  // namespace hivewire
