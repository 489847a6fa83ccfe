// Services of the wire that this server does not offer yet: each call is answered UNIMPLEMENTED
// (NOT_SUPPORTED), and says what is missing, so that a client need not guess from an unknown
// method.
#ifndef HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_
#define HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_

#include "server/rpc/blocking_calls.h"

namespace hivewire {

void AddLaterServices(BlockingCalls& calls);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_LATER_SERVICES_H_
