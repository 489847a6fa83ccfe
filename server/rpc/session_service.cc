#include "server/rpc/session_service.h"

#include "server/rpc/session.h"

namespace hivewire {

SessionService::SessionService(PoolTable& pools, absl::Duration drain_grace)
    : pools_(pools), drain_grace_(drain_grace) {}

grpc::ServerBidiReactor<v1::ClientFrame, v1::ServerFrame>* SessionService::Connect(
    grpc::CallbackServerContext* context) {
  return Session::Begin(pools_, drain_grace_, *context, num_sessions_);
}

}  // namespace hivewire
