#include "server/rpc/later_services.h"

#include <google/protobuf/descriptor.h>

#include "base/error.h"
#include "hivewire/v1/robot.pb.h"
#include "server/rpc/status.h"

namespace hivewire {

void AddLaterServices(BlockingCalls& calls) {
  const google::protobuf::FileDescriptor& file = *v1::GetRobotStateRequest::descriptor()->file();
  for (int k = 0; k < file.service_count(); ++k) {
    const google::protobuf::ServiceDescriptor& service = *file.service(k);
    for (int method = 0; method < service.method_count(); ++method) {
      calls.Add(service.full_name(), service.method(method)->name(), [](BlockingCall&) {
        return ToGrpc(MakeError(v1::ERROR_REASON_NOT_SUPPORTED, "this server hosts no robots"));
      });
    }
  }
}

}  // namespace hivewire
