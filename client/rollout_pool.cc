#include "client/rollout_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "client/control_client_impl.h"
#include "client/recovery.h"
#include "client/wire_check.h"

namespace hivewire {
namespace {

// Of a policy on its way: below the smallest message limit that a server can have.
constexpr size_t kChunkBytes = 32 << 10;
constexpr absl::Duration kPublishTimeout = absl::Seconds(120);
constexpr absl::Duration kRenewTimeout = absl::Seconds(5);

}  // namespace

bool IsStillHeld(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  return reason == v1::ERROR_REASON_LEASE_HELD || reason == v1::ERROR_REASON_LANE_BUSY;
}

RolloutPool::RolloutPool(std::unique_ptr<ControlClient> control, const GrpcChannel& channel,
                         absl::Duration reconnect_timeout)
    : control_(std::move(control)),
      channel_(channel),
      stub_(v1::Rollouts::NewStub(channel.channel())),
      reconnect_timeout_(reconnect_timeout) {}

absl::StatusOr<std::unique_ptr<RolloutPool>> RolloutPool::Create(
    const std::string& address, const ConnectionOptions& connection,
    const v1::CreatePoolRequest& request) {
  auto control = ControlClient::Connect(address, connection);
  if (!control.ok()) return control.status();
  v1::CreatePoolRequest keyed = request;
  if (keyed.idempotency_key().empty()) keyed.set_idempotency_key(NewIdempotencyKey());
  const GrpcChannel& channel = (*control)->impl_->channel;
  std::unique_ptr<RolloutPool> pool(
      new RolloutPool(*std::move(control), channel, connection.reconnect_timeout));
  auto info = pool->Patiently([&] { return pool->control_->GetServerInfo(); });
  if (!info.ok()) return info.status();
  const auto& capabilities = info->capabilities();
  if (std::find(capabilities.begin(), capabilities.end(), "rollouts") == capabilities.end()) {
    return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                     absl::StrCat(address,
                                  ": this server runs no policies of clients: it was started "
                                  "without --allow_rollouts"));
  }
  auto created = pool->Patiently([&] { return pool->control_->CreatePool(keyed); });
  if (!created.ok()) return created.status();
  pool->description_.Swap(created->mutable_pool());
  pool->lease_token_ = created->lease_token();
  pool->keeper_ = std::thread([kept = pool.get()] { kept->KeepLease(); });
  const absl::Status whole = CheckPool(pool->description_, request.num_envs());
  if (!whole.ok()) return Annotate(whole, address);
  return pool;
}

RolloutPool::~RolloutPool() {
  if (!keeper_.joinable()) return;  // it was never made
  {
    MutexLock lock(mutex_);
    closing_ = true;
    changed_.NotifyAll();
  }
  keeper_.join();
  Release();
}

void RolloutPool::Release() { control_->ReleasePool(Mine<v1::ReleasePoolRequest>()).IgnoreError(); }

template <typename Call>
auto RolloutPool::Patiently(Call call) -> decltype(call()) {
  const absl::Time deadline = absl::Now() + reconnect_timeout_;
  while (true) {
    auto response = call();
    if (response.ok()) return response;
    const bool again = IsBrokenConnection(response.status()) || IsStillHeld(response.status());
    if (!again || absl::Now() >= deadline) return Explain(response.status());
    channel_.Pause();
  }
}

template <typename Request>
Request RolloutPool::Mine() const {
  Request request;
  request.set_pool_id(description_.pool_id());
  request.set_lease_token(lease_token_);
  return request;
}

absl::Status RolloutPool::Explain(const absl::Status& status) const {
  const v1::ErrorReason reason = ReasonOf(status);
  if (reason != v1::ERROR_REASON_UNKNOWN_POOL && reason != v1::ERROR_REASON_BAD_LEASE) {
    return status;
  }
  return MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                   absl::StrCat(channel_.address(), ": pool \"", description_.pool_id(),
                                "\" is gone: the server restarted, or the pool was released, or "
                                "its lease ran out; make a new one"),
                   "pool_id", description_.pool_id());
}

absl::StatusOr<v1::Rows> RolloutPool::Reset(absl::Span<const uint64_t> seeds) {
  auto request = Mine<v1::ResetRequest>();
  request.mutable_seeds()->Add(seeds.begin(), seeds.end());
  auto response = Patiently([&] { return control_->Reset(request); });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_rows());
}

absl::StatusOr<std::vector<std::string>> RolloutPool::SaveState() {
  const auto request = Mine<v1::SaveStateRequest>();
  auto response = Patiently([&] { return control_->SaveState(request); });
  if (!response.ok()) return response.status();
  return std::vector<std::string>(response->snapshots().begin(), response->snapshots().end());
}

absl::StatusOr<v1::Rows> RolloutPool::LoadState(const std::vector<std::string>& snapshots) {
  auto request = Mine<v1::LoadStateRequest>();
  for (const std::string& snapshot : snapshots) request.add_snapshots(snapshot);
  auto response = Patiently([&] { return control_->LoadState(request); });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_rows());
}

absl::StatusOr<uint64_t> RolloutPool::Publish(const std::string& policy) {
  const std::string digest = Sha256(policy);
  return Patiently([&] { return PublishOnce(policy, digest); });
}

absl::StatusOr<uint64_t> RolloutPool::PublishOnce(const std::string& policy,
                                                  const std::string& digest) {
  grpc::ClientContext context;
  channel_.Prepare(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPublishTimeout));
  v1::PublishPolicyResponse response;
  const auto writer = stub_->PublishPolicy(&context, &response);
  auto request = Mine<v1::PublishPolicyRequest>();
  request.set_total_bytes(policy.size());
  request.set_sha256(digest);
  for (size_t sent = 0; sent == 0 || sent < policy.size(); sent += kChunkBytes) {
    request.set_chunk(policy.substr(sent, kChunkBytes));
    if (!writer->Write(request)) break;  // Finish says why
    request.Clear();
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return channel_.ToStatus(status);
  return response.version();
}

// The lease's time runs while nothing is collected, however long an update takes.
void RolloutPool::KeepLease() {
  const absl::Duration interval =
      std::max(absl::Milliseconds(description_.lease_ttl_ms()) / 3, absl::Milliseconds(10));
  const auto request = Mine<v1::RenewLeaseRequest>();
  while (true) {
    {
      MutexLock lock(mutex_);
      const bool over =
          changed_.WaitUntil(lock, absl::Now() + interval,
                             [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closing_; });
      if (over) return;
    }
    grpc::ClientContext context;
    channel_.Prepare(context);
    context.set_deadline(absl::ToChronoTime(absl::Now() + kRenewTimeout));
    v1::RenewLeaseResponse response;
    // Should it be lost, the next call that matters says so.
    control_->impl_->stub->RenewLease(&context, request, &response);
  }
}

}  // namespace hivewire
