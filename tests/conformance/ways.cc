#include "tests/conformance/ways.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/inproc.h"
#include "tests/conformance/certificates.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"

namespace hivewire {

std::string NameOf(Way way) {
  switch (way) {
    case Way::kInproc:
      return "Inproc";
    case Way::kUnix:
      return "Unix";
    case Way::kTcp:
      return "Tcp";
    case Way::kTls:
      return "Tls";
    default:
      return "TwoServers";
  }
}

absl::StatusOr<std::unique_ptr<Host>> Host::Start(Way way) {
  std::unique_ptr<Host> host(new Host);
  absl::Status status;
  switch (way) {
    case Way::kInproc:
      host->workers_ = std::make_unique<Workers>(2);
      host->server_ = "inproc:";
      break;
    case Way::kUnix:
      status = host->Serve(host->folder_.Socket("env.sock"));
      break;
    case Way::kTcp:
      status = host->Serve("tcp:127.0.0.1:0");
      break;
    case Way::kTls: {
      const auto certificates = TestCertificates::Make(host->folder_.path());
      if (!certificates.ok()) return certificates.status();
      host->security_.tls_cert = certificates->server_cert;
      host->security_.tls_key = certificates->server_key;
      host->security_.tls_client_ca = certificates->ca;
      host->security_.token_file = certificates->token_file;
      host->connection_.tls_ca = certificates->ca;
      host->connection_.tls_cert = certificates->client_cert;
      host->connection_.tls_key = certificates->client_key;
      host->connection_.token_file = certificates->token_file;
      status = host->Serve("tcp:localhost:0");
      break;
    }
    case Way::kTwoServers:
      status = host->Serve(host->folder_.Socket("a.sock"));
      if (status.ok()) status = host->Serve(host->folder_.Socket("b.sock"));
      break;
  }
  if (!status.ok()) return status;
  return host;
}

absl::Status Host::Serve(const std::string& listen) {
  EnvServerOptions options = TestServerOptions(listen);
  options.security = security_;
  auto server = EnvServer::Start(BuiltinEnvs(), options);
  if (!server.ok()) return server.status();
  absl::StrAppend(&server_, server_.empty() ? "" : ",", (*server)->addresses()[0]);
  servers_.push_back(*std::move(server));
  return absl::OkStatus();
}

CarrierFactory Host::carriers() const {
  return workers_ != nullptr ? InprocCarriers(BuiltinEnvs(), *workers_) : GrpcCarriers();
}

}  // namespace hivewire
