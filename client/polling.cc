#include "client/polling.h"

#include <cstdlib>

namespace hivewire {

void PreferPoll() { setenv("GRPC_POLL_STRATEGY", "poll", /*overwrite=*/0); }

}  // namespace hivewire
