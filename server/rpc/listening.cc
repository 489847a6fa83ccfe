#include "server/rpc/listening.h"

#include <sys/stat.h>

#include <utility>

namespace hivewire {

void SetConnectionArguments(absl::Duration keepalive_time, absl::Duration keepalive_timeout,
                            grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(keepalive_time)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(keepalive_timeout)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
}

absl::Status Listening::Add(const ListenAddress& address,
                            std::shared_ptr<grpc::ServerCredentials> credentials,
                            grpc::ServerBuilder& builder) {
  if (address.kind == ListenAddress::Kind::kUnix) {
    auto lock = SocketLock::Take(address.path);
    if (!lock.ok()) return lock.status();
    locks_.push_back(*std::move(lock));
  } else {
    const absl::Status free = CheckPortIsFree(address);
    if (!free.ok()) return free;
  }
  Place& place = places_.emplace_back();
  place.address = address;
  builder.AddListeningPort(address.ToGrpc(), std::move(credentials), &place.port);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<grpc::Server>> Listening::Start(grpc::ServerBuilder& builder) {
  const mode_t mask = umask(0177);  // sockets are made with mode 0600
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(mask);
  if (server == nullptr) {
    return absl::FailedPreconditionError(
        "--listen: gRPC could not listen (its message stands above)");
  }
  for (Place& place : places_) {
    if (place.address.kind == ListenAddress::Kind::kTcp) place.address.port = place.port;
    addresses_.push_back(place.address.ToString());
  }
  return server;
}

}  // namespace hivewire
