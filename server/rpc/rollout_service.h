// The Rollouts service: policies come in, fragments go out.
//
// The story of PublishPolicy: the first chunk names the pool; all chunks are put together, checked
// (size, sha256, what the policy is, whether it fits the pool, how long it takes) and put in force.
// The story of Collect: the call attaches to the pool as a session would, starts a Rollout
// (server/rollout), and writes its fragments until the client is gone, the pool is taken over or
// freed, or there are no more. When the server drains, the last fragment that any lane has begun is
// the last one, so that the lanes can go on elsewhere.
//
// Thread-safe.
#ifndef HIVEWIRE_SERVER_RPC_ROLLOUT_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_ROLLOUT_SERVICE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "hivewire/v1/rollout.pb.h"
#include "policy/portable/network.h"
#include "server/rpc/blocking_calls.h"
#include "server/rpc/pool_table.h"

namespace hivewire {

struct RolloutOptions {
  // Without it both calls are refused (NOT_SUPPORTED).
  bool allow = false;
  uint64_t max_policy_bytes = 16 << 20;
  NetworkLimits network;
  // Of a policy, for a few lanes at once.
  absl::Duration max_evaluation = absl::Milliseconds(10);
  // Of the fragments that one Collect holds.
  uint64_t max_buffer_bytes = 1 << 30;
};

class RolloutService {
 public:
  RolloutService(PoolTable& pools, const RolloutOptions& options)
      : pools_(pools), options_(options) {}

  void AddTo(BlockingCalls& calls);

 private:
  absl::Status PublishPolicy(BlockingCall& call, uint64_t& version);
  grpc::Status Collect(BlockingCall& call, const v1::CollectRequest& request);
  absl::Status Stream(HostedPool& hosted, uint64_t epoch, const v1::CollectRequest& request,
                      BlockingCall& call);
  absl::Status CheckAllowed() const;

  PoolTable& pools_;
  const RolloutOptions options_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_ROLLOUT_SERVICE_H_
