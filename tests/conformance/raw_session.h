// A session stream as a foreign client holds it: frame by frame, and ended as the test likes.
#ifndef HIVEWIRE_TESTS_CONFORMANCE_RAW_SESSION_H_
#define HIVEWIRE_TESTS_CONFORMANCE_RAW_SESSION_H_

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/status.h"
#include "base/error.h"
#include "hivewire/v1/session.grpc.pb.h"

namespace hivewire {

// One stream; cancelled by the destructor if it was not read to the end.
class RawSession {
 public:
  explicit RawSession(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::EnvSession::NewStub(channel)), stream_(stub_->Connect(&context_)) {}
  ~RawSession() {
    context_.TryCancel();
    if (!finished_) stream_->Finish();
  }

  bool Write(const v1::ClientFrame& frame) { return stream_->Write(frame); }
  v1::ServerFrame Read() {
    v1::ServerFrame frame;
    open_ = stream_->Read(&frame);
    return frame;
  }
  bool open() const { return open_; }
  absl::Status Finish() {
    stream_->WritesDone();
    v1::ServerFrame frame;
    while (stream_->Read(&frame)) {
    }
    finished_ = true;
    const grpc::Status status = stream_->Finish();
    google::rpc::Status details;
    if (!status.error_details().empty() && details.ParseFromString(status.error_details()))
      return FromProto(details);
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::EnvSession::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;
  bool open_ = true;
  bool finished_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_CONFORMANCE_RAW_SESSION_H_
