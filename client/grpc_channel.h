// Channels, call contexts and errors of gRPC, for the client's transport files alone.
#ifndef HIVEWIRE_CLIENT_GRPC_CHANNEL_H_
#define HIVEWIRE_CLIENT_GRPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection.h"

namespace hivewire {

// A channel of its own (no subchannel is shared), and what its calls must carry.
//
// Immutable; thread-safe.
class GrpcChannel {
 public:
  // Reads the files of `options`; makes no connection yet. Errors name the option and the file.
  static absl::StatusOr<GrpcChannel> Make(const std::string& address,
                                          const ConnectionOptions& options);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& address() const { return address_; }

  // Waits for the connection, at most the options' connect_timeout. UNAVAILABLE says why there is
  // none.
  absl::Status WaitUntilConnected() const;

  // One attempt to reach the server. UNAVAILABLE where none answers.
  absl::Status Ping(absl::Time deadline) const;

  // To be called between attempts. A connection that is being made advances only while somebody
  // waits for it, so this waits for it, not merely for the time.
  void Pause() const;

  // Metadata that every call carries.
  void Prepare(grpc::ClientContext& context) const;

  // A call's status as an absl::Status: the server's own reason where there is one, and the address
  // before the message.
  absl::Status ToStatus(const grpc::Status& status) const;

 private:
  GrpcChannel() = default;

  std::string address_;
  std::string authorization_;
  absl::Duration connect_timeout_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_GRPC_CHANNEL_H_
