// The flags by which every client program is told where its server is and how to reach it:
// --server, --tls, --tls_ca, --tls_cert, --tls_key, --tls_server_name, --token_file,
// --connect_timeout.
#ifndef HIVEWIRE_CLIENT_CONNECTION_FLAGS_H_
#define HIVEWIRE_CLIENT_CONNECTION_FLAGS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/connection.h"

namespace hivewire {

// --server, or without it the Unix socket where an env server of this user listens by default.
std::string ServerFromFlags();

ConnectionOptions ConnectionFromFlags();

// Names of the flags above, without dashes, for programs that parse their command line themselves.
absl::Span<const absl::string_view> ConnectionFlagNames();

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONNECTION_FLAGS_H_
