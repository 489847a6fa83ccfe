#include "client/grpc_channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "hivewire/v1/control.grpc.pb.h"

namespace hivewire {
namespace {

constexpr int kWindowBytes = 4 << 20;
constexpr int kFrameBytes = 1 << 20;
constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(50);

absl::StatusOr<std::string> ReadOption(absl::string_view option, const std::string& path) {
  if (path.empty()) return std::string();
  absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return Annotate(content.status(), option);
  return content;
}

grpc::ChannelArguments Arguments(const ConnectionOptions& options, bool tcp) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Also the time that one attempt has for TCP, TLS and HTTP/2 together: on a busy machine a
  // connection needs more than the 100 ms between attempts.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // A window that does not hold up a batch. The connection's own window grows beyond 64 KiB only
  // where gRPC probes for what is under way (with pings of its own): without, a network would carry
  // one large message in a round trip. A Unix socket has no delay, and no need of pings.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, tcp ? 1 : 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  // The server's limit is agreed on in Attach.
  arguments.SetMaxReceiveMessageSize(-1);
  if (!options.tls_server_name.empty()) arguments.SetSslTargetNameOverride(options.tls_server_name);
  return arguments;
}

bool IsHandshakeFailure(absl::string_view message) {
  return absl::StrContains(message, "handshake") || absl::StrContains(message, "CERTIFICATE") ||
         absl::StrContains(message, "Peer name");
}

}  // namespace

absl::StatusOr<GrpcChannel> GrpcChannel::Make(const std::string& address,
                                              const ConnectionOptions& options) {
  GrpcChannel made;
  made.address_ = address;
  made.connect_timeout_ = options.connect_timeout;
  if (!options.token_file.empty()) {
    const auto token = ReadSecret(options.token_file);
    if (!token.ok()) return Annotate(token.status(), "token_file");
    made.authorization_ = absl::StrCat("Bearer ", *token);
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("tls_cert and tls_key go together");
  }
  const bool tcp = absl::StartsWith(address, "tcp:");
  const bool tls = tcp && (options.tls || !options.tls_ca.empty() || !options.tls_cert.empty());
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (tls) {
    KeepOpenSslAtExit();
    grpc::SslCredentialsOptions ssl;
    for (const auto& [option, path, content] :
         {std::tuple("tls_ca", &options.tls_ca, &ssl.pem_root_certs),
          std::tuple("tls_cert", &options.tls_cert, &ssl.pem_cert_chain),
          std::tuple("tls_key", &options.tls_key, &ssl.pem_private_key)}) {
      auto read = ReadOption(option, *path);
      if (!read.ok()) return read.status();
      *content = *std::move(read);
    }
    credentials = grpc::SslCredentials(ssl);
  }
  made.channel_ = grpc::CreateCustomChannel(std::string(absl::StripPrefix(address, "tcp:")),
                                            credentials, Arguments(options, tcp));
  return made;
}

absl::Status GrpcChannel::Ping(absl::Time deadline) const {
  const auto stub = v1::EnvControl::NewStub(channel_);
  grpc::ClientContext context;
  Prepare(context);
  context.set_deadline(absl::ToChronoTime(deadline));
  v1::GetServerInfoResponse info;
  const grpc::Status status = stub->GetServerInfo(&context, {}, &info);
  const bool nobody = (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                       !IsHandshakeFailure(status.error_message())) ||
                      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (!nobody) return ToStatus(status);
  return absl::UnavailableError(
      absl::StrCat(address_, ": no env server answers here (", status.error_message(), ")"));
}

absl::Status GrpcChannel::WaitUntilConnected() const {
  const absl::Time deadline = absl::Now() + connect_timeout_;
  while (true) {
    const absl::Status status = Ping(deadline);
    // A failed TLS handshake is UNAVAILABLE too, and nothing that waiting would cure.
    const bool may_come = absl::IsUnavailable(status) && !IsHandshakeFailure(status.message());
    if (!may_come || absl::Now() + 2 * kBetweenAttempts >= deadline) return status;
    Pause();
  }
}

void GrpcChannel::Pause() const {
  if (!channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + kBetweenAttempts))) return;
  absl::SleepFor(absl::Milliseconds(5));  // it is there: the trouble is another one
}

void GrpcChannel::Prepare(grpc::ClientContext& context) const {
  if (!authorization_.empty()) context.AddMetadata("authorization", authorization_);
}

absl::Status GrpcChannel::ToStatus(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    return Annotate(FromProto(details), address_);
  }
  const bool handshake = IsHandshakeFailure(status.error_message());
  return absl::Status(
      static_cast<absl::StatusCode>(status.error_code()),
      absl::StrCat(address_, ": ",
                   handshake ? "the TLS handshake failed (check tls_ca, tls_cert, tls_key and "
                               "tls_server_name): "
                             : "",
                   status.error_message()));
}

}  // namespace hivewire
