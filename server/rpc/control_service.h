// EnvControl: the calls that answer once, and images (control.proto).
#ifndef HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "hivewire/v1/control.pb.h"
#include "server/rpc/blocking_calls.h"
#include "server/rpc/pool_table.h"
#include "server/sim/render_thread.h"

namespace hivewire {

class ControlService {
 public:
  // `pools` outlives the service, and so does `renderer`, which is null where the machine has no
  // GL. `rollouts`: whether policies are run.
  ControlService(PoolTable& pools, RenderThread* renderer, std::function<uint64_t()> num_sessions,
                 bool rollouts);

  void AddTo(BlockingCalls& calls);

 private:
  grpc::Status GetServerInfo(const grpc::ServerContext& context,
                             const v1::GetServerInfoRequest& request,
                             v1::GetServerInfoResponse& response);
  grpc::Status ListEnvs(const grpc::ServerContext& context, const v1::ListEnvsRequest& request,
                        v1::ListEnvsResponse& response);
  grpc::Status DescribeEnv(const grpc::ServerContext& context,
                           const v1::DescribeEnvRequest& request,
                           v1::DescribeEnvResponse& response);
  grpc::Status CreatePool(const grpc::ServerContext& context, const v1::CreatePoolRequest& request,
                          v1::CreatePoolResponse& response);
  grpc::Status RenewLease(const grpc::ServerContext& context, const v1::RenewLeaseRequest& request,
                          v1::RenewLeaseResponse& response);
  grpc::Status ReleasePool(const grpc::ServerContext& context,
                           const v1::ReleasePoolRequest& request,
                           v1::ReleasePoolResponse& response);
  grpc::Status ListPools(const grpc::ServerContext& context, const v1::ListPoolsRequest& request,
                         v1::ListPoolsResponse& response);
  grpc::Status Reset(const grpc::ServerContext& context, const v1::ResetRequest& request,
                     v1::ResetResponse& response);
  grpc::Status Step(const grpc::ServerContext& context, const v1::StepRequest& request,
                    v1::StepResponse& response);
  grpc::Status SaveState(const grpc::ServerContext& context, const v1::SaveStateRequest& request,
                         v1::SaveStateResponse& response);
  grpc::Status LoadState(const grpc::ServerContext& context, const v1::LoadStateRequest& request,
                         v1::LoadStateResponse& response);
  grpc::Status GetProperties(const grpc::ServerContext& context,
                             const v1::GetPropertiesRequest& request,
                             v1::GetPropertiesResponse& response);
  grpc::Status SetProperties(const grpc::ServerContext& context,
                             const v1::SetPropertiesRequest& request,
                             v1::SetPropertiesResponse& response);
  grpc::Status GetStatistics(const grpc::ServerContext& context,
                             const v1::GetStatisticsRequest& request,
                             v1::GetStatisticsResponse& response);
  grpc::Status Render(BlockingCall& call, const v1::RenderRequest& request);

  PoolTable& pools_;
  RenderThread* renderer_;
  const std::function<uint64_t()> num_sessions_;
  const bool rollouts_;
  const absl::Time started_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_
