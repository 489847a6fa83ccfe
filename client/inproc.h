// The carrier for "inproc:": a pool in this very process, no server and no gRPC. For tests, benches
// and tools.
#ifndef HIVEWIRE_CLIENT_INPROC_H_
#define HIVEWIRE_CLIENT_INPROC_H_

#include "client/carrier.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Both outlive the carriers.
CarrierFactory InprocCarriers(const Registry& registry, Workers& workers);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_INPROC_H_
