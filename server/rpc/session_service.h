// EnvSession: the stepping stream (session.proto). Each call is a Session (session.h).
#ifndef HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "hivewire/v1/session.grpc.pb.h"
#include "server/rpc/call_queue.h"
#include "server/rpc/pool_table.h"

namespace hivewire {

class SessionService {
 public:
  // `pools` outlives the service. `drain_grace` is what clients are told while the server drains.
  SessionService(PoolTable& pools, absl::Duration drain_grace)
      : pools_(pools), drain_grace_(drain_grace) {}

  grpc::Service* service() { return &service_; }
  // Takes calls on `queue`, from when the server has started until it shuts down.
  void Serve(CallQueue& queue);

  uint64_t num_sessions() const { return num_sessions_.load(); }

 private:
  PoolTable& pools_;
  const absl::Duration drain_grace_;
  v1::EnvSession::AsyncService service_;
  std::atomic<uint64_t> num_sessions_{0};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_
