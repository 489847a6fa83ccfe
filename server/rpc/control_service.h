// EnvControl: the unary calls (control.proto).
#ifndef HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/rpc/pool_table.h"
#include "server/sim/render_thread.h"

namespace hivewire {

class ControlService final : public v1::EnvControl::Service {
 public:
  // `pools` outlives the service, and so does `renderer`, which is null where the machine has no
  // GL. `rollouts`: whether policies are run.
  ControlService(PoolTable& pools, RenderThread* renderer, std::function<uint64_t()> num_sessions,
                 bool rollouts);

  grpc::Status GetServerInfo(grpc::ServerContext*, const v1::GetServerInfoRequest*,
                             v1::GetServerInfoResponse*) override;
  grpc::Status ListEnvs(grpc::ServerContext*, const v1::ListEnvsRequest*,
                        v1::ListEnvsResponse*) override;
  grpc::Status DescribeEnv(grpc::ServerContext*, const v1::DescribeEnvRequest*,
                           v1::DescribeEnvResponse*) override;
  grpc::Status CreatePool(grpc::ServerContext*, const v1::CreatePoolRequest*,
                          v1::CreatePoolResponse*) override;
  grpc::Status RenewLease(grpc::ServerContext*, const v1::RenewLeaseRequest*,
                          v1::RenewLeaseResponse*) override;
  grpc::Status ReleasePool(grpc::ServerContext*, const v1::ReleasePoolRequest*,
                           v1::ReleasePoolResponse*) override;
  grpc::Status ListPools(grpc::ServerContext*, const v1::ListPoolsRequest*,
                         v1::ListPoolsResponse*) override;
  grpc::Status Reset(grpc::ServerContext*, const v1::ResetRequest*, v1::ResetResponse*) override;
  grpc::Status Step(grpc::ServerContext*, const v1::StepRequest*, v1::StepResponse*) override;
  grpc::Status SaveState(grpc::ServerContext*, const v1::SaveStateRequest*,
                         v1::SaveStateResponse*) override;
  grpc::Status LoadState(grpc::ServerContext*, const v1::LoadStateRequest*,
                         v1::LoadStateResponse*) override;
  grpc::Status GetProperties(grpc::ServerContext*, const v1::GetPropertiesRequest*,
                             v1::GetPropertiesResponse*) override;
  grpc::Status SetProperties(grpc::ServerContext*, const v1::SetPropertiesRequest*,
                             v1::SetPropertiesResponse*) override;
  grpc::Status Render(grpc::ServerContext*, const v1::RenderRequest*,
                      grpc::ServerWriter<v1::RenderResponse>*) override;
  grpc::Status GetStatistics(grpc::ServerContext*, const v1::GetStatisticsRequest*,
                             v1::GetStatisticsResponse*) override;

 private:
  PoolTable& pools_;
  RenderThread* renderer_;
  const std::function<uint64_t()> num_sessions_;
  const bool rollouts_;
  const absl::Time started_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_CONTROL_SERVICE_H_
