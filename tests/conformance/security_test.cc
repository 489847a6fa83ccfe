// Who gets in: a wrong certificate, no token and a wrong token get nothing but a clear refusal.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "client/control_client.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/conformance/certificates.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

class SecurityTest : public testing::Test {
 protected:
  void SetUp() override {
    auto certificates = TestCertificates::Make(folder_.path());
    ASSERT_TRUE(certificates.ok()) << certificates.status();
    files_ = *std::move(certificates);
    options_.render = false;
    options_.num_workers = 1;
  }

  void Start(const std::string& listen) {
    options_.listen = *ParseListenAddresses(listen);
    server_ = StartTestServer(registry_, options_);
    connection_.connect_timeout = absl::Seconds(5);
  }

  void UseMutualTlsWithToken() {
    options_.security.tls_cert = files_.server_cert;
    options_.security.tls_key = files_.server_key;
    options_.security.tls_client_ca = files_.ca;
    options_.security.token_file = files_.token_file;
    connection_.tls_ca = files_.ca;
    connection_.tls_cert = files_.client_cert;
    connection_.tls_key = files_.client_key;
    connection_.token_file = files_.token_file;
  }

  absl::Status Connect() {
    return ControlClient::Connect(server_->addresses()[0], connection_).status();
  }

  ShortFolder folder_;
  TestCertificates files_;
  Registry registry_;
  EnvServerOptions options_;
  std::unique_ptr<EnvServer> server_;
  ConnectionOptions connection_;
};

TEST_F(SecurityTest, TheRightCertificateAndTokenGetIn) {
  UseMutualTlsWithToken();
  Start("tcp:localhost:0");
  const absl::Status status = Connect();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(SecurityTest, NoTokenAndAWrongTokenAreRefused) {
  UseMutualTlsWithToken();
  Start("tcp:localhost:0");
  connection_.token_file.clear();
  absl::Status status = Connect();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(absl::StrContains(status.message(), "token")) << status;
  connection_.token_file = files_.other_token_file;
  status = Connect();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(absl::StrContains(status.message(), "bearer token is not this server's")) << status;
}

TEST_F(SecurityTest, ACertificateOfAnotherAuthorityOrNoneIsRefused) {
  UseMutualTlsWithToken();
  Start("tcp:localhost:0");
  connection_.tls_cert = files_.other_cert;
  connection_.tls_key = files_.other_key;
  EXPECT_EQ(Connect().code(), absl::StatusCode::kUnavailable);
  connection_.tls_cert.clear();
  connection_.tls_key.clear();
  EXPECT_EQ(Connect().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SecurityTest, AServerOfAnotherAuthorityIsNotTrusted) {
  UseMutualTlsWithToken();
  Start("tcp:localhost:0");
  connection_.tls_ca = files_.other_ca;
  const absl::Status status = Connect();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "TLS handshake failed")) << status;
}

TEST_F(SecurityTest, ATokenGuardsAUnixSocketAndPlainLoopbackToo) {
  options_.security.token_file = files_.token_file;
  for (const std::string& listen : {folder_.Socket("env.sock"), std::string("tcp:127.0.0.1:0")}) {
    Start(listen);
    connection_.token_file.clear();
    EXPECT_EQ(Connect().code(), absl::StatusCode::kUnauthenticated) << listen;
    connection_.token_file = files_.token_file;
    const absl::Status status = Connect();
    EXPECT_TRUE(status.ok()) << listen << ": " << status;
    server_.reset();
  }
}

TEST_F(SecurityTest, PlainTcpBeyondLoopbackNeedsToBeAskedFor) {
  options_.listen = *ParseListenAddresses("tcp:0.0.0.0:0");
  absl::Status status = EnvServer::Start(registry_, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "--insecure")) << status;
  options_.security.insecure = true;
  EXPECT_TRUE(EnvServer::Start(registry_, options_).ok());
  options_.security.token_file = files_.token_file;  // anybody on the way could read it
  EXPECT_EQ(EnvServer::Start(registry_, options_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SecurityTest, FilesThatAreNotThereOrNotPemAreNamed) {
  options_.listen = *ParseListenAddresses("tcp:localhost:0");
  options_.security.tls_cert = folder_.path() + "/absent.pem";
  absl::Status status = EnvServer::Start(registry_, options_).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "--tls_key")) << status;
  options_.security.tls_key = files_.server_key;
  status = EnvServer::Start(registry_, options_).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "absent.pem")) << status;
  options_.security.tls_cert = files_.token_file;
  status = EnvServer::Start(registry_, options_).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "is not a PEM file")) << status;
}

TEST_F(SecurityTest, AnAddressInUseIsAClearError) {
  Start(folder_.Socket("env.sock"));
  absl::Status status = EnvServer::Start(registry_, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(absl::StrContains(status.message(), "address in use")) << status;
  server_.reset();
  Start("tcp:127.0.0.1:0");
  options_.listen = *ParseListenAddresses(server_->addresses()[0]);
  status = EnvServer::Start(registry_, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(absl::StrContains(status.message(), "address in use")) << status;
}

TEST_F(SecurityTest, AnAbsentServerIsNamedAfterConnectTimeout) {
  connection_.connect_timeout = absl::Milliseconds(300);
  const absl::Status status =
      ControlClient::Connect(folder_.Socket("nobody.sock"), connection_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "nobody.sock: no env server answers here"))
      << status;
}

}  // namespace
}  // namespace hivewire
