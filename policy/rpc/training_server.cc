#include "policy/rpc/training_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/rpc/training_service.h"
#include "policy/session.h"

namespace hivewire {
namespace {

void SetChannelArguments(const ListenOptions& options, grpc::ServerBuilder& builder) {
  // Two learners on one port would share it in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_time)));
  builder.AddChannelArgument(
      GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.SetMaxReceiveMessageSize(INT32_MAX);
  builder.SetMaxSendMessageSize(INT32_MAX);
}

}  // namespace

// Locks last longer than the server, which owns the sockets.
struct TrainingServer::Listener {
  explicit Listener(CollectorTable& table) : service(table) {}

  std::vector<SocketLock> locks;
  TrainingService service;
  std::unique_ptr<grpc::Server> server;
};

TrainingServer::TrainingServer(const v1::LearnerConfig& config, int64_t frames,
                               const ListenOptions& options)
    : options_(options), table_(config, static_cast<uint64_t>(frames)) {}

absl::StatusOr<std::unique_ptr<FragmentSource>> TrainingServer::Start(
    const v1::LearnerConfig& config, int64_t frames, const ListenOptions& options) {
  const auto listen = ParseListenAddresses(options.listen);
  if (!listen.ok()) return Annotate(listen.status(), "--listen");
  std::unique_ptr<TrainingServer> made(new TrainingServer(config, frames, options));
  made->listener_ = std::make_unique<Listener>(made->table_);
  Listener& listener = *made->listener_;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetChannelArguments(options, builder);
  std::vector<int> ports(listen->size());
  for (size_t k = 0; k < listen->size(); ++k) {
    const ListenAddress& address = (*listen)[k];
    auto credentials = MakeCredentials(address, options.security);
    if (!credentials.ok()) return Annotate(credentials.status(), "--listen");
    if (address.kind == ListenAddress::Kind::kUnix) {
      auto lock = SocketLock::Take(address.path);
      if (!lock.ok()) return lock.status();
      listener.locks.push_back(*std::move(lock));
    } else if (const absl::Status free = CheckPortIsFree(address); !free.ok()) {
      return free;
    }
    builder.AddListeningPort(address.ToGrpc(), *credentials, &ports[k]);
  }
  builder.RegisterService(&listener.service);
  const mode_t mask = umask(0177);  // sockets are made with mode 0600
  listener.server = builder.BuildAndStart();
  umask(mask);
  if (listener.server == nullptr) {
    return absl::FailedPreconditionError(
        "--listen: gRPC could not listen (its message stands above)");
  }
  std::vector<std::string> addresses;
  for (size_t k = 0; k < listen->size(); ++k) {
    ListenAddress address = (*listen)[k];
    if (address.kind == ListenAddress::Kind::kTcp) address.port = ports[k];
    addresses.push_back(address.ToString());
  }
  if (!options.ready_file.empty()) {
    const absl::Status written = WriteFileAtomically(
        options.ready_file, {absl::StrCat(absl::StrJoin(addresses, "\n"), "\n")});
    if (!written.ok()) return Annotate(written, "--ready_file");
  }
  spdlog::info("waiting for collectors at {}", absl::StrJoin(addresses, ", "));
  const absl::StatusOr<v1::EnvSpec> spec = made->table_.WaitForSpec(options.stop);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<Problem> problem = MakeProblem(*spec, config);
  if (!problem.ok()) return problem.status();
  made->problem_ = *std::move(problem);
  made->action_leaf_ = spec->action(0);
  return made;
}

TrainingServer::~TrainingServer() {
  table_.Shutdown();
  if (listener_ == nullptr || listener_->server == nullptr) return;
  listener_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  listener_->server->Wait();
}

absl::StatusOr<std::vector<Experience>> TrainingServer::Gather(const v1::Policy& policy, int) {
  table_.Publish(policy);
  return table_.Gather(options_.stop);
}

std::vector<Statistic> TrainingServer::statistics() const {
  const GatherStatistics statistics = table_.statistics();
  return {{"charts/staleness_mean", statistics.mean_staleness},
          {"charts/staleness_max", static_cast<double>(statistics.max_staleness)},
          {"charts/fragments_dropped", static_cast<double>(statistics.dropped_fragments)},
          {"charts/collectors", static_cast<double>(statistics.collectors)}};
}

absl::Status TrainingServer::Load(const TensorMap&, uint64_t, absl::Status& env_state_lost) {
  env_state_lost = absl::NotFoundError("the lanes are the collectors'");
  return absl::OkStatus();
}

}  // namespace hivewire
