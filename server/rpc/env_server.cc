#include "server/rpc/env_server.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/pool/operation_log.h"
#include "server/rpc/blocking_calls.h"
#include "server/rpc/call_queue.h"
#include "server/rpc/control_service.h"
#include "server/rpc/health_service.h"
#include "server/rpc/later_services.h"
#include "server/rpc/listening.h"
#include "server/rpc/reflection_service.h"
#include "server/rpc/session_service.h"

namespace hivewire {
namespace {

constexpr int kWindowBytes = 4 << 20;
constexpr int kFrameBytes = 1 << 20;
constexpr absl::Duration kDrainPoll = absl::Milliseconds(50);

int UsableCpus() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return 1;
  return std::max(1, CPU_COUNT(&cpus));
}

void SetChannelArguments(const EnvServerOptions& options, grpc::ServerBuilder& builder) {
  SetConnectionArguments(options.keepalive_time, options.keepalive_timeout, builder);
  // Windows that do not hold up a batch, instead of probing for them with pings of its own.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  const int max_bytes =
      static_cast<int>(std::min<uint64_t>(options.limits.max_message_bytes, INT32_MAX));
  // A frame that is too large is refused by its session, which goes on; one that is much too large
  // by gRPC, which ends the stream.
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<uint64_t>(4 * options.limits.max_message_bytes, INT32_MAX)));
  builder.SetMaxSendMessageSize(max_bytes);
}

}  // namespace

struct EnvServer::Impl {
  Impl(const Registry& registry, const EnvServerOptions& given)
      : options(given),
        workers(given.num_workers > 0 ? given.num_workers : UsableCpus(), given.render),
        pools(registry, workers, given.limits),
        session(pools, given.drain_grace),
        rollouts(pools, given.rollouts) {}

  const EnvServerOptions options;
  Listening listening;
  std::unique_ptr<OperationLog> operation_log;
  Workers workers;
  std::unique_ptr<RenderThread> renderer;
  PoolTable pools;
  SessionService session;
  std::unique_ptr<ControlService> control;
  RolloutService rollouts;
  HealthService health;
  BlockingCalls calls;
  std::unique_ptr<CallQueue> queue;
  std::unique_ptr<grpc::Server> server;
};

EnvServer::EnvServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EnvServer::~EnvServer() { Shutdown(); }

absl::StatusOr<std::unique_ptr<EnvServer>> EnvServer::Start(const Registry& registry,
                                                            const EnvServerOptions& options) {
  if (options.listen.empty()) return absl::InvalidArgumentError("--listen: no address is given");
  auto impl = std::make_unique<Impl>(registry, options);
  if (!options.op_log.empty()) {
    auto log = OperationLog::Open(options.op_log);
    if (!log.ok()) return Annotate(log.status(), "--op_log");
    impl->operation_log = *std::move(log);
    impl->pools.LogOperations(impl->operation_log.get());
  }
  if (options.render) {
    auto renderer = RenderThread::Start();
    if (renderer.ok()) {
      impl->renderer = *std::move(renderer);
    } else {
      spdlog::warn("no rendering: {}", std::string(renderer.status().message()));
    }
  }
  impl->control = std::make_unique<ControlService>(
      impl->pools, impl->renderer.get(),
      [&session = impl->session] { return session.num_sessions(); }, options.rollouts.allow);
  BlockingCalls& calls = impl->calls;
  impl->control->AddTo(calls);
  impl->rollouts.AddTo(calls);
  AddLaterServices(calls);
  std::vector<std::string> services = calls.services();
  services.push_back(v1::EnvSession::service_full_name());
  impl->health.AddTo(calls, services);
  services.push_back(grpc::health::v1::Health::service_full_name());
  if (options.reflection) AddReflection(calls, services);
  // gRPC's own would have threads that poll.
  grpc::EnableDefaultHealthCheckService(false);
  grpc::ServerBuilder builder;
  SetChannelArguments(options, builder);
  for (const ListenAddress& address : options.listen) {
    auto credentials = MakeCredentials(address, options.security);
    if (!credentials.ok()) return credentials.status();
    const absl::Status added = impl->listening.Add(address, *std::move(credentials), builder);
    if (!added.ok()) return added;
  }
  builder.RegisterService(impl->session.service());
  builder.RegisterAsyncGenericService(&calls.service());
  impl->queue = std::make_unique<CallQueue>(builder);
  auto server = impl->listening.Start(builder);
  if (!server.ok()) return server.status();
  impl->server = *std::move(server);
  impl->session.Serve(*impl->queue);
  calls.Serve(*impl->queue);
  impl->workers.SetPoller(impl->queue.get());
  return std::unique_ptr<EnvServer>(new EnvServer(std::move(impl)));
}

const std::vector<std::string>& EnvServer::addresses() const {
  return impl_->listening.addresses();
}

void EnvServer::Drain() {
  impl_->health.SetServing(false);
  impl_->pools.Drain();
  const absl::Time deadline = absl::Now() + impl_->options.drain_grace;
  // A learner whose policy runs here is attached only while it collects: it finds out when it does
  // so next, moves its pool, and releases it here.
  const auto in_use = [this] {
    const auto pools = impl_->pools.List();
    return std::any_of(pools.begin(), pools.end(), [](const auto& pool) {
      return pool->attached() || pool->policy_slot()->Get() != nullptr;
    });
  };
  while (in_use() && absl::Now() < deadline) absl::SleepFor(kDrainPoll);
}

void EnvServer::Shutdown() {
  if (impl_->server == nullptr) return;
  for (const auto& pool : impl_->pools.List()) impl_->pools.Release(pool);
  impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  impl_->queue->WaitForHolds();
  impl_->workers.SetPoller(nullptr);
  impl_->server.reset();
  impl_->queue.reset();
}

}  // namespace hivewire
