#include "server/rpc/credentials.h"

#include <grpcpp/security/auth_metadata_processor.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "server/rpc/status.h"

namespace hivewire {
namespace {

// Lets calls through that carry "authorization: Bearer <token>".
class TokenProcessor final : public grpc::AuthMetadataProcessor {
 public:
  explicit TokenProcessor(const std::string& token) : expected_(absl::StrCat("Bearer ", token)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext*, OutputMetadata* consumed,
                       OutputMetadata*) override {
    const auto found = metadata.find("authorization");
    if (found == metadata.end()) {
      return Refusal(
          "this server needs a bearer token, and the call carries none (see --token_file)");
    }
    const absl::string_view given(found->second.data(), found->second.length());
    unsigned difference = given.size() == expected_.size() ? 0 : 1;
    for (size_t k = 0; k < given.size(); ++k) {
      difference |= static_cast<unsigned char>(given[k] ^ expected_[k % expected_.size()]);
    }
    if (difference != 0) return Refusal("the bearer token is not this server's (see --token_file)");
    consumed->insert({"authorization", std::string(given)});
    return grpc::Status::OK;
  }

 private:
  static grpc::Status Refusal(absl::string_view message) {
    return ToGrpc(MakeError(v1::ERROR_REASON_UNAUTHENTICATED, message));
  }

  const std::string expected_;
};

absl::StatusOr<std::string> ReadFlagFile(absl::string_view flag, const std::string& path) {
  absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return Annotate(content.status(), flag);
  return content;
}

absl::StatusOr<std::string> ReadPem(absl::string_view flag, const std::string& path) {
  absl::StatusOr<std::string> content = ReadFlagFile(flag, path);
  if (content.ok() && content->find("-----BEGIN ") == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": ", path, " is not a PEM file"));
  }
  return content;
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeTls(const SecurityOptions& options) {
  const auto key = ReadPem("--tls_key", options.tls_key);
  if (!key.ok()) return key.status();
  const auto cert = ReadPem("--tls_cert", options.tls_cert);
  if (!cert.ok()) return cert.status();
  KeepOpenSslAtExit();
  grpc::SslServerCredentialsOptions tls(
      options.tls_client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                    : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_key_cert_pairs.push_back({*key, *cert});
  if (!options.tls_client_ca.empty()) {
    const auto ca = ReadPem("--tls_client_ca", options.tls_client_ca);
    if (!ca.ok()) return ca.status();
    tls.pem_root_certs = *ca;
  }
  return grpc::SslServerCredentials(tls);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const ListenAddress& address, const SecurityOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls_cert and --tls_key go together");
  }
  if (!options.tls_client_ca.empty() && options.tls_cert.empty()) {
    return absl::InvalidArgumentError("--tls_client_ca needs --tls_cert and --tls_key");
  }
  const bool tls = !options.tls_cert.empty() && address.kind == ListenAddress::Kind::kTcp;
  if (!tls && !address.IsLocal()) {
    if (!options.insecure) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen: ", address.ToString(),
                       " is reached from other machines: give --tls_cert and --tls_key",
                       " (and --token_file or --tls_client_ca), or say --insecure"));
    }
    if (!options.token_file.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--token_file: over plain TCP (",
                                                     address.ToString(),
                                                     ") a token can be read by others; use TLS"));
    }
  }
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (tls) {
    auto made = MakeTls(options);
    if (!made.ok()) return made.status();
    credentials = *std::move(made);
  } else if (options.token_file.empty()) {
    return grpc::InsecureServerCredentials();
  } else {
    // Plain bytes too, but of a kind that calls can be checked on.
    credentials = grpc::experimental::LocalServerCredentials(
        address.kind == ListenAddress::Kind::kUnix ? UDS : LOCAL_TCP);
  }
  if (!options.token_file.empty()) {
    const auto token = ReadSecret(options.token_file);
    if (!token.ok()) return Annotate(token.status(), "--token_file");
    credentials->SetAuthMetadataProcessor(std::make_shared<TokenProcessor>(*token));
  }
  return credentials;
}

}  // namespace hivewire
