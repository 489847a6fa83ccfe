#include "client/session_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/gpr_time.h"

namespace hivewire {
namespace {

void* ToPointer(intptr_t tag) { return reinterpret_cast<void*>(tag); }

}  // namespace

SessionStream::SessionStream(const GrpcChannel& channel)
    : channel_(channel), stub_(v1::EnvSession::NewStub(channel.channel())) {
  channel_.Prepare(context_);
  stream_ = stub_->AsyncConnect(&context_, &queue_, ToPointer(kStart));
}

absl::StatusOr<std::unique_ptr<SessionStream>> SessionStream::Attach(const GrpcChannel& channel,
                                                                     const v1::Attach& attach,
                                                                     v1::Attached& attached) {
  std::unique_ptr<SessionStream> stream(new SessionStream(channel));
  auto frame = std::make_shared<v1::ClientFrame>();
  *frame->mutable_attach() = attach;
  stream->Write(std::move(frame));
  v1::ServerFrame reply;
  const bool received = stream->Next(absl::InfiniteFuture(), reply) == Event::kFrame;
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
  Cancel();
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  // What is under way ends before its memory does.
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool SessionStream::Write(Frame frame) {
  MutexLock lock(mutex_);
  if (closed_ || half_close_) return false;
  unsent_.push_back(std::move(frame));
  if (writing_) return true;
  WriteNext();
  return false;
}

void SessionStream::HalfClose() {
  MutexLock lock(mutex_);
  half_close_ = true;
  if (!writing_ && !closed_) WriteNext();
}

void SessionStream::WriteNext() {
  writing_ = true;
  if (!unsent_.empty()) {
    stream_->Write(*unsent_.front(), ToPointer(kWrite));
    unsent_.pop_front();  // it is serialised
  } else if (half_close_) {
    closed_ = true;
    stream_->WritesDone(ToPointer(kHalfClose));
  } else {
    writing_ = false;
  }
}

SessionStream::Event SessionStream::Next(absl::Time deadline, v1::ServerFrame& frame) {
  const gpr_timespec until = ToGprTime(deadline);
  while (!has_frame_ && !ended_) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT)
      return Event::kNothing;
    Handle(static_cast<Tag>(reinterpret_cast<intptr_t>(tag)), ok);
  }
  if (!has_frame_) return Event::kEnd;
  has_frame_ = false;
  frame.Swap(&incoming_);
  stream_->Read(&incoming_, ToPointer(kRead));
  return Event::kFrame;
}

void SessionStream::Handle(Tag tag, bool ok) {
  switch (tag) {
    case kStart:
      if (ok) stream_->Read(&incoming_, ToPointer(kRead));
      ended_ = !ok;
      break;
    case kRead:
      has_frame_ = ok;
      ended_ = !ok;
      return;
    case kWrite:
      break;
    case kHalfClose:
    case kFinish:
      return;
  }
  MutexLock lock(mutex_);
  if (!ok) closed_ = true;
  if (!closed_) WriteNext();
}

absl::Status SessionStream::Finish() {
  if (status_.has_value()) return *status_;
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  grpc::Status status;
  stream_->Finish(&status, ToPointer(kFinish));
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok) && tag != ToPointer(kFinish)) {
  }
  status_ = channel_.ToStatus(status);
  return *status_;
}

}  // namespace hivewire
