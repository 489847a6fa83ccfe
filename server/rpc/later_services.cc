#include "server/rpc/later_services.h"

#include "base/error.h"
#include "server/rpc/status.h"

namespace hivewire {
namespace {

grpc::Status NoRobots() {
  return ToGrpc(MakeError(v1::ERROR_REASON_NOT_SUPPORTED, "this server hosts no robots"));
}

}  // namespace

grpc::Status LaterRobots::GetRobotState(grpc::ServerContext*, const v1::GetRobotStateRequest*,
                                        v1::GetRobotStateResponse*) {
  return NoRobots();
}

grpc::Status LaterRobots::WatchRobotState(grpc::ServerContext*, const v1::WatchRobotStateRequest*,
                                          grpc::ServerWriter<v1::WatchRobotStateResponse>*) {
  return NoRobots();
}

grpc::Status LaterRobots::EmergencyStop(grpc::ServerContext*, const v1::EmergencyStopRequest*,
                                        v1::EmergencyStopResponse*) {
  return NoRobots();
}

}  // namespace hivewire
