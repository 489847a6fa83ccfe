// The unary calls of one server, for programs that look after servers and pools.
//
// Every call has a deadline. Errors carry the server's reason, and its address before the message.
// Thread-safe.
#ifndef HIVEWIRE_CLIENT_CONTROL_CLIENT_H_
#define HIVEWIRE_CLIENT_CONTROL_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection.h"
#include "hivewire/v1/control.pb.h"

namespace hivewire {

class ControlClient {
 public:
  // Waits for the server, at most connection.connect_timeout.
  static absl::StatusOr<std::unique_ptr<ControlClient>> Connect(
      const std::string& address, const ConnectionOptions& connection);
  ~ControlClient();

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo();
  absl::StatusOr<v1::ListEnvsResponse> ListEnvs(const v1::ListEnvsRequest& request);
  absl::StatusOr<v1::DescribeEnvResponse> DescribeEnv(const v1::DescribeEnvRequest& request);
  absl::StatusOr<v1::CreatePoolResponse> CreatePool(const v1::CreatePoolRequest& request);
  absl::StatusOr<v1::ReleasePoolResponse> ReleasePool(const v1::ReleasePoolRequest& request);
  absl::StatusOr<v1::ListPoolsResponse> ListPools();
  absl::StatusOr<v1::ResetResponse> Reset(const v1::ResetRequest& request);
  absl::StatusOr<v1::StepResponse> Step(const v1::StepRequest& request);
  absl::StatusOr<v1::SaveStateResponse> SaveState(const v1::SaveStateRequest& request);
  absl::StatusOr<v1::LoadStateResponse> LoadState(const v1::LoadStateRequest& request);
  absl::StatusOr<v1::GetPropertiesResponse> GetProperties(const v1::GetPropertiesRequest& request);
  absl::StatusOr<v1::SetPropertiesResponse> SetProperties(const v1::SetPropertiesRequest& request);
  // The first image of the answer.
  absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest& request);
  absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(const v1::GetStatisticsRequest& request);

 private:
  friend class GrpcCarrier;
  friend class RolloutPool;
  struct Impl;

  explicit ControlClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONTROL_CLIENT_H_
