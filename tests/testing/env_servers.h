// Env servers of a test's own, and the envs that they host.
#ifndef HIVEWIRE_TESTS_TESTING_ENV_SERVERS_H_
#define HIVEWIRE_TESTS_TESTING_ENV_SERVERS_H_

#include <memory>
#include <string>

#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Two workers that draw nothing; for the rest as a server is by default. `address` as --listen has
// it.
EnvServerOptions TestServerOptions(const std::string& address);

// Started, or the test fails here. `registry` outlives it.
std::unique_ptr<EnvServer> StartTestServer(const Registry& registry,
                                           const EnvServerOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_TESTING_ENV_SERVERS_H_
