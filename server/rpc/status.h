// absl::Status as a call's grpc::Status: same code and message, the reason in
// grpc-status-details-bin.
#ifndef HIVEWIRE_SERVER_RPC_STATUS_H_
#define HIVEWIRE_SERVER_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace hivewire {

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_STATUS_H_
