#include "base/grpc_tuning.h"

#include <cstdlib>

#include "absl/synchronization/mutex.h"

namespace hivewire {

void TuneGrpc() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

void TuneGrpcClient() {
  TuneGrpc();
  setenv("GRPC_POLL_STRATEGY", "poll", /*overwrite=*/0);
}

}  // namespace hivewire
