// A certificate authority, a server's and a client's certificate and a token, made anew for a test
// by the openssl program.
#ifndef HIVEWIRE_TESTS_CONFORMANCE_CERTIFICATES_H_
#define HIVEWIRE_TESTS_CONFORMANCE_CERTIFICATES_H_

#include <string>

#include "absl/status/statusor.h"

namespace hivewire {

// Paths of PEM files. The server's certificate is for "localhost" and 127.0.0.1.
struct TestCertificates {
  std::string ca, server_cert, server_key, client_cert, client_key;
  // Of a CA that nobody trusts.
  std::string other_ca, other_cert, other_key;
  std::string token_file, other_token_file;

  static absl::StatusOr<TestCertificates> Make(const std::string& folder);
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_CONFORMANCE_CERTIFICATES_H_
