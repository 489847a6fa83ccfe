// Every way to a pool, ready to be used: in process, a Unix socket, loopback TCP, TLS with a token,
// and two servers as one.
#ifndef HIVEWIRE_TESTS_CONFORMANCE_WAYS_H_
#define HIVEWIRE_TESTS_CONFORMANCE_WAYS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/carrier.h"
#include "client/connection.h"
#include "server/pool/workers.h"
#include "server/rpc/env_server.h"
#include "tests/testing/short_folder.h"

namespace hivewire {

enum class Way { kInproc, kUnix, kTcp, kTls, kTwoServers };

std::string NameOf(Way way);

// What serves one way; it ends with this object.
class Host {
 public:
  static absl::StatusOr<std::unique_ptr<Host>> Start(Way way);

  // Addresses as VectorEnvOptions::server takes them.
  const std::string& server() const { return server_; }
  const ConnectionOptions& connection() const { return connection_; }
  // In-process or gRPC's.
  CarrierFactory carriers() const;

 private:
  Host() = default;

  absl::Status Serve(const std::string& listen);

  ShortFolder folder_;
  std::string server_;
  ConnectionOptions connection_;
  SecurityOptions security_;
  std::unique_ptr<Workers> workers_;
  std::vector<std::unique_ptr<EnvServer>> servers_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_CONFORMANCE_WAYS_H_
