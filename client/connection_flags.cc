#include "client/connection_flags.h"

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/default_socket.h"

ABSL_FLAG(std::string, server, "",
          "Addresses, unix:/path or tcp:host:port, comma-separated; without it the Unix socket "
          "where an env server of this user listens by default.");
ABSL_FLAG(bool, tls, false, "TLS, checked by the system's roots.");
ABSL_FLAG(std::string, tls_ca, "", "TLS, checked by the CA in this PEM file.");
ABSL_FLAG(std::string, tls_cert, "", "PEM file: the client's own certificate, for mutual TLS.");
ABSL_FLAG(std::string, tls_key, "", "PEM file: that certificate's key.");
ABSL_FLAG(std::string, tls_server_name, "",
          "The name in the server's certificate, where it is not the address's host.");
ABSL_FLAG(std::string, token_file, "", "File whose first line is the server's bearer token.");
ABSL_FLAG(absl::Duration, connect_timeout, absl::Seconds(5),
          "How long to wait for a server that does not answer yet.");
ABSL_FLAG(absl::Duration, reconnect_timeout, absl::Seconds(30),
          "How long to try again once a connection broke.");
ABSL_FLAG(
    std::string, standby, "",
    "Addresses of servers that take over from one that drains, beside the others of --server.");

namespace hivewire {

std::string ServerFromFlags() {
  const std::string server = absl::GetFlag(FLAGS_server);
  return server.empty() ? absl::StrCat("unix:", DefaultSocketPath()) : server;
}

ConnectionOptions ConnectionFromFlags() {
  ConnectionOptions options;
  options.tls = absl::GetFlag(FLAGS_tls);
  options.tls_ca = absl::GetFlag(FLAGS_tls_ca);
  options.tls_cert = absl::GetFlag(FLAGS_tls_cert);
  options.tls_key = absl::GetFlag(FLAGS_tls_key);
  options.tls_server_name = absl::GetFlag(FLAGS_tls_server_name);
  options.token_file = absl::GetFlag(FLAGS_token_file);
  options.connect_timeout = absl::GetFlag(FLAGS_connect_timeout);
  options.reconnect_timeout = absl::GetFlag(FLAGS_reconnect_timeout);
  options.standby = absl::GetFlag(FLAGS_standby);
  return options;
}

absl::Span<const absl::string_view> ConnectionFlagNames() {
  static constexpr absl::string_view kNames[] = {
      "server",          "tls",        "tls_ca",          "tls_cert",          "tls_key",
      "tls_server_name", "token_file", "connect_timeout", "reconnect_timeout", "standby"};
  return kNames;
}

}  // namespace hivewire
