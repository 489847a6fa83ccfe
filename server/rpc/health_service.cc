#include "server/rpc/health_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace hivewire {
namespace {

using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;

// How often a Watch looks whether its client is still there.
constexpr absl::Duration kLook = absl::Milliseconds(200);

}  // namespace

void HealthService::AddTo(BlockingCalls& calls, std::vector<std::string> services) {
  services_ = std::move(services);
  const std::string service = Health::service_full_name();
  calls.AddUnary(service, "Check", this, &HealthService::Check);
  calls.AddServerStreaming(service, "Watch", this, &HealthService::Watch);
}

void HealthService::SetServing(bool serving) {
  MutexLock lock(mutex_);
  status_ = serving ? Response::SERVING : Response::NOT_SERVING;
  changed_.NotifyAll();
}

bool HealthService::Knows(const std::string& service) const {
  return service.empty() ||
         std::find(services_.begin(), services_.end(), service) != services_.end();
}

grpc::Status HealthService::Check(const grpc::ServerContext&, const HealthCheckRequest& request,
                                  Response& response) {
  if (!Knows(request.service())) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND,
                        absl::StrCat("service: this server has no \"", request.service(), "\""));
  }
  MutexLock lock(mutex_);
  response.set_status(status_);
  return grpc::Status::OK;
}

grpc::Status HealthService::Watch(BlockingCall& call, const HealthCheckRequest& request) {
  const bool known = Knows(request.service());
  Response told;  // UNKNOWN: nothing yet
  while (!call.cancelled()) {
    Response response;
    {
      MutexLock lock(mutex_);
      response.set_status(known ? status_ : Response::SERVICE_UNKNOWN);
      if (response.status() == told.status()) {
        changed_.WaitUntil(lock, absl::Now() + kLook, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return known && status_ != told.status();
        });
        continue;
      }
    }
    if (!call.Write(response)) break;
    told = response;
  }
  return grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone");
}

}  // namespace hivewire
