// How a client reaches a server: the options that every program shares.
//
// Addresses are "unix:/path" and "tcp:host:port". TLS is used for tcp: when a CA, or `tls`, is
// given.
#ifndef HIVEWIRE_CLIENT_CONNECTION_H_
#define HIVEWIRE_CLIENT_CONNECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hivewire {

struct ConnectionOptions {
  // PEM files. `tls_ca` checks the server (empty with `tls`: the system's roots); cert and key are
  // the client's own, for mutual TLS.
  bool tls = false;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  // The name in the server's certificate, where it is not the address's host.
  std::string tls_server_name;
  // File with a bearer token in its first line.
  std::string token_file;
  // How long to wait for a server that does not answer yet.
  absl::Duration connect_timeout = absl::Seconds(5);
  // How long to try again once a connection broke, before it counts as lost.
  absl::Duration reconnect_timeout = absl::Seconds(30);
  // Comma-separated addresses of servers that take over the pools of a server that drains, beside
  // the others of the address list.
  std::string standby;
};

// Splits "a,b,c"; INVALID_ARGUMENT for an address of another form, saying which forms there are.
absl::StatusOr<std::vector<std::string>> ParseAddresses(absl::string_view server);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONNECTION_H_
