// Services of the wire that this server does not offer yet: each call is answered UNIMPLEMENTED
// (NOT_SUPPORTED), and says what is missing, so that a client need not guess from an unknown
// method.
#ifndef HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_
#define HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_

#include "hivewire/v1/robot.grpc.pb.h"

namespace hivewire {

class LaterRobots final : public v1::Robots::Service {
 public:
  grpc::Status GetRobotState(grpc::ServerContext*, const v1::GetRobotStateRequest*,
                             v1::GetRobotStateResponse*) override;
  grpc::Status WatchRobotState(grpc::ServerContext*, const v1::WatchRobotStateRequest*,
                               grpc::ServerWriter<v1::WatchRobotStateResponse>*) override;
  grpc::Status EmergencyStop(grpc::ServerContext*, const v1::EmergencyStopRequest*,
                             v1::EmergencyStopResponse*) override;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_
