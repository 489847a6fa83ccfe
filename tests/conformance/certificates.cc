#include "tests/conformance/certificates.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

absl::Status Run(const std::string& command) {
  if (std::system(absl::StrCat(command, " >/dev/null 2>&1").c_str()) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("failed: ", command));
}

absl::Status MakeCa(const std::string& folder, const std::string& name) {
  return Run(
      absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                   "-days 2 -subj /CN=",
                   name, " -keyout ", folder, "/", name, ".key -out ", folder, "/", name, ".pem"));
}

absl::Status MakeCertificate(const std::string& folder, const std::string& ca,
                             const std::string& name) {
  const std::string base = absl::StrCat(folder, "/", name);
  std::ofstream(absl::StrCat(base, ".ext")) << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  absl::Status status = Run(absl::StrCat(
      "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=", name,
      " -keyout ", base, ".key -out ", base, ".csr"));
  if (!status.ok()) return status;
  return Run(absl::StrCat("openssl x509 -req -days 2 -in ", base, ".csr -CA ", folder, "/", ca,
                          ".pem -CAkey ", folder, "/", ca, ".key -CAcreateserial -extfile ", base,
                          ".ext -out ", base, ".pem"));
}

}  // namespace

absl::StatusOr<TestCertificates> TestCertificates::Make(const std::string& folder) {
  for (const absl::Status& status :
       {MakeCa(folder, "ca"), MakeCa(folder, "other-ca"), MakeCertificate(folder, "ca", "server"),
        MakeCertificate(folder, "ca", "client"), MakeCertificate(folder, "other-ca", "other")}) {
    if (!status.ok()) return status;
  }
  TestCertificates made;
  made.ca = folder + "/ca.pem";
  made.server_cert = folder + "/server.pem";
  made.server_key = folder + "/server.key";
  made.client_cert = folder + "/client.pem";
  made.client_key = folder + "/client.key";
  made.other_ca = folder + "/other-ca.pem";
  made.other_cert = folder + "/other.pem";
  made.other_key = folder + "/other.key";
  made.token_file = folder + "/token";
  made.other_token_file = folder + "/other-token";
  std::ofstream(made.token_file) << "correct-horse-battery-staple\n";
  std::ofstream(made.other_token_file) << "wrong-horse-battery-staple\n";
  return made;
}

}  // namespace hivewire
