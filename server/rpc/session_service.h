// EnvSession: the stepping stream (session.proto).
//
// One call is one session, on two threads: the call's own reads frames and hands them to the pool;
// a second one takes batches from the pool and writes them. Its story:
//   1. the first frame must be Attach; token and layout are checked;
//   2. the pool is attached, Attached is sent, and results that the client missed are made ready
//   again;
//   3. frames are read and submitted, batches are written as they become ready, refused frames are
//   answered;
//   4. it ends when the client detaches or half-closes, the connection breaks, a newer session
//   attaches or the pool is
//      released; then the pool is detached and its lease runs.
#ifndef HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_

#include <atomic>

#include "absl/time/time.h"
#include "hivewire/v1/session.grpc.pb.h"
#include "server/rpc/pool_table.h"

namespace hivewire {

class SessionService final : public v1::EnvSession::CallbackService {
 public:
  // `pools` outlives the service. `drain_grace` is what clients are told while the server drains.
  SessionService(PoolTable& pools, absl::Duration drain_grace);

  grpc::ServerBidiReactor<v1::ClientFrame, v1::ServerFrame>* Connect(
      grpc::CallbackServerContext* context) override;

  uint64_t num_sessions() const { return num_sessions_.load(); }

 private:
  PoolTable& pools_;
  const absl::Duration drain_grace_;
  std::atomic<uint64_t> num_sessions_{0};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_SESSION_SERVICE_H_
