// A pool on one server, for rollouts: its calls but Collect, over a connection that may break, and
// a lease that is kept. For the client's transport files alone.
//
// Calls are made again for reconnect_timeout, then fail with UNAVAILABLE; where the server has lost
// the pool they fail with UNKNOWN_POOL. Thread-safe.
#ifndef HIVEWIRE_CLIENT_ROLLOUT_POOL_H_
#define HIVEWIRE_CLIENT_ROLLOUT_POOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/connection.h"
#include "client/control_client.h"
#include "client/grpc_channel.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/rollout.grpc.pb.h"

namespace hivewire {

// The server has yet to notice that the stream before is gone, and to get its lanes back.
bool IsStillHeld(const absl::Status& status);

class RolloutPool {
 public:
  // NOT_SUPPORTED where the server does not offer rollouts.
  static absl::StatusOr<std::unique_ptr<RolloutPool>> Create(const std::string& address,
                                                             const ConnectionOptions& connection,
                                                             const v1::CreatePoolRequest& request);
  ~RolloutPool();
  RolloutPool(const RolloutPool&) = delete;
  RolloutPool& operator=(const RolloutPool&) = delete;

  const v1::PoolDescription& description() const { return description_; }
  const std::string& lease_token() const { return lease_token_; }
  const GrpcChannel& channel() const { return channel_; }
  v1::Rollouts::Stub& stub() const { return *stub_; }

  // What RolloutClient's say.
  absl::StatusOr<v1::Rows> Reset(absl::Span<const uint64_t> seeds);
  absl::StatusOr<std::vector<std::string>> SaveState();
  absl::StatusOr<v1::Rows> LoadState(const std::vector<std::string>& snapshots);
  // `policy`: a serialised v1::Policy.
  absl::StatusOr<uint64_t> Publish(const std::string& policy);

  // What follows fails with UNKNOWN_POOL. The destructor's business, or of who does not come back.
  void Release();

  // What an answer about our own pool means for the caller.
  absl::Status Explain(const absl::Status& status) const;

 private:
  RolloutPool(std::unique_ptr<ControlClient> control, const GrpcChannel& channel,
              absl::Duration reconnect_timeout);

  // A call that can be made again.
  template <typename Call>
  auto Patiently(Call call) -> decltype(call());
  template <typename Request>
  Request Mine() const;
  absl::StatusOr<uint64_t> PublishOnce(const std::string& policy, const std::string& digest);
  void KeepLease();

  const std::unique_ptr<ControlClient> control_;
  const GrpcChannel& channel_;  // control_'s
  const std::unique_ptr<v1::Rollouts::Stub> stub_;
  const absl::Duration reconnect_timeout_;
  v1::PoolDescription description_;
  std::string lease_token_;

  Mutex mutex_;
  Condition changed_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread keeper_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_ROLLOUT_POOL_H_
