// gRPC server reflection, in its version v1 and as v1alpha, which says the same under another name.
#ifndef HIVEWIRE_SERVER_RPC_REFLECTION_SERVICE_H_
#define HIVEWIRE_SERVER_RPC_REFLECTION_SERVICE_H_

#include <string>
#include <vector>

#include "server/rpc/blocking_calls.h"

namespace hivewire {

// `services`: what is listed, beside reflection itself. Anything that is linked into the process
// can be asked for.
void AddReflection(BlockingCalls& calls, std::vector<std::string> services);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_REFLECTION_SERVICE_H_
