// How a server of ours listens, be it for envs or for collectors: connections that notice a peer
// that is gone, sockets that are nobody else's.
#ifndef HIVEWIRE_SERVER_RPC_LISTENING_H_
#define HIVEWIRE_SERVER_RPC_LISTENING_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/rpc/listen_address.h"

namespace hivewire {

// The server pings its peers and lets itself be pinged, between calls too; and no other server
// shares its port in silence.
void SetConnectionArguments(absl::Duration keepalive_time, absl::Duration keepalive_timeout,
                            grpc::ServerBuilder& builder);

// The sockets of one server; to outlive it.
class Listening {
 public:
  // To be listened at. ALREADY_EXISTS for an address in use.
  absl::Status Add(const ListenAddress& address,
                   std::shared_ptr<grpc::ServerCredentials> credentials,
                   grpc::ServerBuilder& builder);
  // Begins to serve, once all services are registered. Unix sockets have mode 0600.
  absl::StatusOr<std::unique_ptr<grpc::Server>> Start(grpc::ServerBuilder& builder);

  // In the order of Add, once started: with the ports that were chosen for port 0.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  struct Place {
    ListenAddress address;
    int port = 0;
  };

  std::vector<SocketLock> locks_;
  std::deque<Place> places_;  // gRPC writes the ports: they must not move
  std::vector<std::string> addresses_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_LISTENING_H_
