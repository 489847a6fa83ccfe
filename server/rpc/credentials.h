// Who may reach a server: the credentials of its listeners.
#ifndef HIVEWIRE_SERVER_RPC_CREDENTIALS_H_
#define HIVEWIRE_SERVER_RPC_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/rpc/listen_address.h"

namespace hivewire {

struct SecurityOptions {
  // PEM files. With a client CA, clients must show a certificate that it signed.
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  // File whose first line is the bearer token that every call must carry.
  std::string token_file;
  // Plain TCP beyond loopback.
  bool insecure = false;
};

// Credentials for one listener. INVALID_ARGUMENT for a combination that would not protect: plain
// TCP beyond loopback without `insecure`, a token over plain TCP beyond loopback; NOT_FOUND or
// INVALID_ARGUMENT for a file, naming it.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const ListenAddress& address, const SecurityOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_CREDENTIALS_H_
