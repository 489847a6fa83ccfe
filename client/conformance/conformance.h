// What every Hivewire server promises its clients, as checks that can be run against any address:
// one suite for the tests of each carrier and for `hivectl conformance`.
//
// A check makes pools of its own and releases them; it neither needs nor disturbs others. It tells
// what a server gets wrong in a Status: what was done, what came, and what should have come.
#ifndef HIVEWIRE_CLIENT_CONFORMANCE_CONFORMANCE_H_
#define HIVEWIRE_CLIENT_CONFORMANCE_CONFORMANCE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/carrier.h"
#include "client/connection.h"

namespace hivewire {

struct ConformanceTarget {
  std::string server;  // one address
  ConnectionOptions connection;
  // Any env that can be reset and stepped; its episodes must be able to last five steps.
  std::string env_id = "CartPole-v1";
  // Empty: gRPC. Checks of the wire itself always use gRPC.
  CarrierFactory carriers;
};

struct ConformanceCheck {
  // A sentence in CamelCase: "AnOperationSentAgainIsNotRunAgain".
  std::string name;
  absl::Status (*run)(const ConformanceTarget& target);
};

// What VectorEnv shows, over whichever carrier.
const std::vector<ConformanceCheck>& StepChecks();
// What only a foreign client on the wire sees: frames, leases, refusals.
const std::vector<ConformanceCheck>& WireChecks();

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONFORMANCE_CONFORMANCE_H_
