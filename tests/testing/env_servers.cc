#include "tests/testing/env_servers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

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
  absl::StatusOr<std::unique_ptr<EnvServer>> server = EnvServer::Start(registry, options);
  if (!server.ok()) {
    ADD_FAILURE() << server.status();
    std::abort();
  }
  return *std::move(server);
}

}  // namespace hivewire
