// grpc.health.v1.Health for all services of a server together.
#ifndef HIVEWIRE_SERVER_RPC_HEALTH_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_HEALTH_SERVICE_H_

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "server/rpc/blocking_calls.h"

namespace hivewire {

// Thread-safe.
class HealthService {
 public:
  // `services`: that may be asked for by name.
  void AddTo(BlockingCalls& calls, std::vector<std::string> services);

  // From now on; SERVING before.
  void SetServing(bool serving);

 private:
  using Response = grpc::health::v1::HealthCheckResponse;

  bool Knows(const std::string& service) const;
  grpc::Status Check(const grpc::ServerContext& context,
                     const grpc::health::v1::HealthCheckRequest& request, Response& response);
  grpc::Status Watch(BlockingCall& call, const grpc::health::v1::HealthCheckRequest& request);

  std::vector<std::string> services_;
  Mutex mutex_;
  Condition changed_;
  Response::ServingStatus status_ ABSL_GUARDED_BY(mutex_) = Response::SERVING;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_HEALTH_SERVICE_H_
