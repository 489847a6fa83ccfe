#include "tests/testing/env_servers.h"

namespace hivewire {

EnvServerOptions TestServerOptions(const std::string& address) {
  EnvServerOptions options;
  options.listen = ParseListenAddresses(address).value();
  options.num_workers = 2;
  options.render = false;
  return options;
}

std::unique_ptr<EnvServer> StartTestServer(const Registry& registry,
                                           const EnvServerOptions& options) {
  return EnvServer::Start(registry, options).value();
}

}  // namespace hivewire
