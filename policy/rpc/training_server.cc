#include "policy/rpc/training_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "policy/acting_policy.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/rpc/training_service.h"
#include "policy/session.h"
#include "server/rpc/listening.h"

namespace hivewire {

// The sockets outlive the server.
struct TrainingServer::Listener {
  explicit Listener(CollectorTable& table) : service(table) {}

  Listening listening;
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
  SetConnectionArguments(options.keepalive_time, options.keepalive_timeout, builder);
  builder.SetMaxReceiveMessageSize(INT32_MAX);
  builder.SetMaxSendMessageSize(INT32_MAX);
  for (const ListenAddress& address : *listen) {
    auto credentials = MakeCredentials(address, options.security);
    if (!credentials.ok()) return Annotate(credentials.status(), "--listen");
    const absl::Status added = listener.listening.Add(address, *std::move(credentials), builder);
    if (!added.ok()) return added;
  }
  builder.RegisterService(&listener.service);
  auto server = listener.listening.Start(builder);
  if (!server.ok()) return server.status();
  listener.server = *std::move(server);
  const std::vector<std::string>& addresses = listener.listening.addresses();
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
  // What no collector could act by (numbers that are not finite) ends the run, not each of them.
  if (absl::Status status = MakeCpuPolicy(policy).status(); !status.ok()) return status;
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
