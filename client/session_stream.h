// One session stream on the wire (EnvSession.Connect): the gRPC inside of the carrier; for the
// client's transport files alone.
//
// Write and HalfClose from one thread at a time, Read from another. After Read gave false, Finish
// says why.
#ifndef HIVEWIRE_CLIENT_SESSION_STREAM_H_
#define HIVEWIRE_CLIENT_SESSION_STREAM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/grpc_channel.h"
#include "hivewire/v1/session.grpc.pb.h"

namespace hivewire {

class SessionStream {
 public:
  // Opens the call and attaches; `attached` is the server's answer. The Status is the server's own
  // reason, or that of the connection.
  static absl::StatusOr<std::unique_ptr<SessionStream>> Attach(const GrpcChannel& channel,
                                                               const v1::Attach& attach,
                                                               v1::Attached& attached);
  // Breaks off a call that has not ended.
  ~SessionStream();

  // False for a broken stream, and after HalfClose.
  bool Write(const v1::ClientFrame& frame) { return !half_closed_ && stream_->Write(frame); }
  void HalfClose();
  bool Read(v1::ServerFrame& frame) { return stream_->Read(&frame); }
  absl::Status Finish();
  // From any thread; Read then gives false.
  void Cancel() { context_.TryCancel(); }

 private:
  explicit SessionStream(const GrpcChannel& channel);

  const GrpcChannel& channel_;
  grpc::ClientContext context_;
  const std::unique_ptr<v1::EnvSession::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;
  bool half_closed_ = false;
  bool finished_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_SESSION_STREAM_H_
