#include "client/rollout_client.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/sha256.h"
#include "client/control_client.h"
#include "client/control_client_impl.h"
#include "client/grpc_channel.h"
#include "client/recovery.h"
#include "hivewire/v1/rollout.grpc.pb.h"

namespace hivewire {
namespace {

// Of a policy on its way: below the smallest message limit that a server can have.
constexpr size_t kChunkBytes = 32 << 10;
constexpr absl::Duration kPublishTimeout = absl::Seconds(120);
constexpr absl::Duration kOneAttempt = absl::Seconds(5);

// Other random numbers for a collection that is asked for again: its lanes have moved on.
uint64_t SeedOfAttempt(uint64_t seed, uint64_t attempt) {
  return seed + attempt * 0x9e3779b97f4a7c15u;
}

// The server has yet to notice that the stream before is gone, and to get its lanes back.
bool IsStillHeld(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  return reason == v1::ERROR_REASON_LEASE_HELD || reason == v1::ERROR_REASON_LANE_BUSY;
}

}  // namespace

struct RolloutClient::Impl {
  Impl(std::unique_ptr<ControlClient> client, absl::Duration timeout)
      : control(std::move(client)),
        stub(v1::Rollouts::NewStub(channel().channel())),
        reconnect_timeout(timeout) {}

  const GrpcChannel& channel() const { return control->impl_->channel; }

  // A call that can be made again, over a connection that may break.
  template <typename Call>
  auto Patiently(Call call) -> decltype(call()) {
    const absl::Time deadline = absl::Now() + reconnect_timeout;
    while (true) {
      auto response = call();
      if (response.ok()) return response;
      const bool again = IsBrokenConnection(response.status()) || IsStillHeld(response.status());
      if (!again || absl::Now() >= deadline) return Explain(response.status());
      channel().Pause();
    }
  }

  // What an answer about our own pool means for the caller.
  absl::Status Explain(const absl::Status& status) const {
    const v1::ErrorReason reason = ReasonOf(status);
    if (reason != v1::ERROR_REASON_UNKNOWN_POOL && reason != v1::ERROR_REASON_BAD_LEASE) {
      return status;
    }
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                     absl::StrCat(channel().address(), ": pool \"", pool.pool_id(),
                                  "\" is gone: the server restarted, or the pool was released, or "
                                  "its lease ran out; make a new one"),
                     "pool_id", pool.pool_id());
  }

  absl::StatusOr<uint64_t> PublishOnce(absl::string_view policy, const std::string& digest) {
    grpc::ClientContext context;
    channel().Prepare(context);
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPublishTimeout));
    v1::PublishPolicyResponse response;
    const auto writer = stub->PublishPolicy(&context, &response);
    v1::PublishPolicyRequest request;
    request.set_pool_id(pool.pool_id());
    request.set_lease_token(lease_token);
    request.set_total_bytes(policy.size());
    request.set_sha256(digest);
    for (size_t sent = 0; sent == 0 || sent < policy.size(); sent += kChunkBytes) {
      request.set_chunk(std::string(policy.substr(sent, kChunkBytes)));
      if (!writer->Write(request)) break;  // Finish says why
      request.Clear();
    }
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return channel().ToStatus(status);
    return response.version();
  }

  // The keeper: the lease's time runs while nothing is collected, however long an update takes.
  void KeepLease() {
    const absl::Duration interval =
        std::max(absl::Milliseconds(pool.lease_ttl_ms()) / 3, absl::Milliseconds(10));
    v1::RenewLeaseRequest request;
    request.set_pool_id(pool.pool_id());
    request.set_lease_token(lease_token);
    while (true) {
      {
        MutexLock lock(mutex);
        const bool over =
            changed.WaitUntil(lock, absl::Now() + interval,
                              [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closing; });
        if (over) return;
      }
      grpc::ClientContext context;
      channel().Prepare(context);
      context.set_deadline(absl::ToChronoTime(absl::Now() + kOneAttempt));
      v1::RenewLeaseResponse response;
      // Should it be lost, the next call that matters says so.
      control->impl_->stub->RenewLease(&context, request, &response);
    }
  }

  // The reader: streams one after the other as connections break, until the last fragment.
  void Read(v1::CollectRequest request) {
    const uint64_t wanted = request.max_fragments();
    const uint64_t seed = request.policy_seed();
    std::vector<uint64_t> received(pool.num_envs());  // fragments of each lane
    uint64_t least = 0;                               // of all lanes
    absl::Time deadline = absl::Now() + reconnect_timeout;
    for (uint64_t attempt = 0;; ++attempt) {
      request.set_policy_seed(SeedOfAttempt(seed, attempt));
      if (wanted > 0) request.set_max_fragments(wanted - least);
      bool heard = false;
      absl::Status status = ReadStream(request, attempt > 0, received, heard);
      least = *std::min_element(received.begin(), received.end());
      if (wanted > 0 && least >= wanted) {
        return End(absl::OutOfRangeError("the collection is complete"));
      }
      if (status.ok()) {
        status = absl::UnavailableError(
            absl::StrCat(channel().address(), ": the server ended the collection early"));
      }
      if (heard) deadline = absl::Now() + reconnect_timeout;
      status = AwaitServer(status, deadline);
      if (!status.ok()) return End(status);
    }
  }

  // One call of Collect, to its end; the Status says why it ended.
  absl::Status ReadStream(const v1::CollectRequest& request, bool resumed,
                          std::vector<uint64_t>& received, bool& heard) {
    grpc::ClientContext context;
    channel().Prepare(context);
    {
      MutexLock lock(mutex);
      if (cancelled) return absl::CancelledError("cancelled");
      running = &context;
    }
    const auto reader = stub->Collect(&context, request);
    absl::Status wrong;
    v1::CollectResponse response;
    while (wrong.ok() && reader->Read(&response)) {
      absl::StatusOr<Fragment> fragment =
          Fragment::Parse(std::move(*response.mutable_fragment()), pool);
      if (fragment.ok() && fragment->length() > request.fragment_length()) {
        fragment = absl::DataLossError(absl::StrCat("fragment.length: ", fragment->length(),
                                                    " steps where ", request.fragment_length(),
                                                    " were asked for"));
      }
      if (!fragment.ok()) {
        wrong = Annotate(fragment.status(), channel().address());
        context.TryCancel();
        break;
      }
      heard = true;
      for (const uint32_t lane : fragment->env_ids()) ++received[lane];
      fragment->set_after_gap(resumed);
      Put(*std::move(fragment), request.max_in_flight());
    }
    const absl::Status finished = channel().ToStatus(reader->Finish());
    MutexLock lock(mutex);
    running = nullptr;
    return wrong.ok() ? finished : wrong;
  }

  void Put(Fragment fragment, size_t limit) {
    MutexLock lock(mutex);
    changed.Wait(lock, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return cancelled || fragments.size() < std::max<size_t>(limit, 1);
    });
    if (!cancelled) fragments.push_back(std::move(fragment));
    changed.NotifyAll();
  }

  // OK once a server answers again; `broken` itself where trying again would not cure it.
  absl::Status AwaitServer(const absl::Status& broken, absl::Time deadline) {
    while (true) {
      {
        MutexLock lock(mutex);
        if (cancelled) return absl::CancelledError("the collection was cancelled");
      }
      if (!IsBrokenConnection(broken) && !IsStillHeld(broken)) return Explain(broken);
      if (absl::Now() >= deadline) {
        return absl::UnavailableError(
            absl::StrCat(broken.message(), ", for ", absl::FormatDuration(reconnect_timeout)));
      }
      channel().Pause();
      if (channel().Ping(std::min(deadline, absl::Now() + kOneAttempt)).ok()) {
        spdlog::debug("{}; collecting anew", std::string(broken.message()));
        return absl::OkStatus();
      }
    }
  }

  void End(const absl::Status& why) {
    MutexLock lock(mutex);
    end = why;
    changed.NotifyAll();
  }

  void Stop() {
    {
      MutexLock lock(mutex);
      cancelled = true;
      fragments.clear();
      if (running != nullptr) running->TryCancel();
      changed.NotifyAll();
    }
    if (reader.joinable()) reader.join();
  }

  const std::unique_ptr<ControlClient> control;
  const std::unique_ptr<v1::Rollouts::Stub> stub;
  const absl::Duration reconnect_timeout;
  v1::PoolDescription pool;
  std::string lease_token;

  Mutex mutex;
  Condition changed;
  std::deque<Fragment> fragments ABSL_GUARDED_BY(mutex);
  grpc::ClientContext* running ABSL_GUARDED_BY(mutex) = nullptr;
  bool cancelled ABSL_GUARDED_BY(mutex) = true;
  bool closing ABSL_GUARDED_BY(mutex) = false;
  // Not OK once no further fragment will come.
  absl::Status end ABSL_GUARDED_BY(mutex) = absl::FailedPreconditionError("nothing is collected");
  std::thread reader;
  std::thread keeper;
};

RolloutClient::RolloutClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<RolloutClient>> RolloutClient::Create(
    const std::string& address, const ConnectionOptions& connection,
    const v1::CreatePoolRequest& request) {
  auto control = ControlClient::Connect(address, connection);
  if (!control.ok()) return control.status();
  v1::CreatePoolRequest keyed = request;
  if (keyed.idempotency_key().empty()) keyed.set_idempotency_key(NewIdempotencyKey());
  auto impl = std::make_unique<Impl>(*std::move(control), connection.reconnect_timeout);
  auto info = impl->Patiently([&] { return impl->control->GetServerInfo(); });
  if (!info.ok()) return info.status();
  const auto& capabilities = info->capabilities();
  if (std::find(capabilities.begin(), capabilities.end(), "rollouts") == capabilities.end()) {
    return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                     absl::StrCat(address,
                                  ": this server runs no policies of clients: it was started "
                                  "without --allow_rollouts"));
  }
  auto created = impl->Patiently([&] { return impl->control->CreatePool(keyed); });
  if (!created.ok()) return created.status();
  impl->pool.Swap(created->mutable_pool());
  impl->lease_token = created->lease_token();
  impl->keeper = std::thread([kept = impl.get()] { kept->KeepLease(); });
  return std::unique_ptr<RolloutClient>(new RolloutClient(std::move(impl)));
}

RolloutClient::~RolloutClient() {
  impl_->Stop();
  {
    MutexLock lock(impl_->mutex);
    impl_->closing = true;
    impl_->changed.NotifyAll();
  }
  impl_->keeper.join();
  v1::ReleasePoolRequest release;
  release.set_pool_id(impl_->pool.pool_id());
  release.set_lease_token(impl_->lease_token);
  impl_->control->ReleasePool(release).IgnoreError();
}

const v1::PoolDescription& RolloutClient::pool() const { return impl_->pool; }

absl::StatusOr<v1::Rows> RolloutClient::Reset(absl::Span<const uint64_t> seeds) {
  v1::ResetRequest request;
  request.set_pool_id(impl_->pool.pool_id());
  request.set_lease_token(impl_->lease_token);
  request.mutable_seeds()->Add(seeds.begin(), seeds.end());
  auto response = impl_->Patiently([&] { return impl_->control->Reset(request); });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_rows());
}

absl::StatusOr<std::vector<std::string>> RolloutClient::SaveState() {
  v1::SaveStateRequest request;
  request.set_pool_id(impl_->pool.pool_id());
  request.set_lease_token(impl_->lease_token);
  auto response = impl_->Patiently([&] { return impl_->control->SaveState(request); });
  if (!response.ok()) return response.status();
  return std::vector<std::string>(response->snapshots().begin(), response->snapshots().end());
}

absl::StatusOr<v1::Rows> RolloutClient::LoadState(const std::vector<std::string>& snapshots) {
  v1::LoadStateRequest request;
  request.set_pool_id(impl_->pool.pool_id());
  request.set_lease_token(impl_->lease_token);
  for (const std::string& snapshot : snapshots) request.add_snapshots(snapshot);
  auto response = impl_->Patiently([&] { return impl_->control->LoadState(request); });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_rows());
}

absl::StatusOr<uint64_t> RolloutClient::Publish(const v1::Policy& policy) {
  std::string bytes;
  if (!policy.SerializeToString(&bytes)) {
    return absl::InvalidArgumentError("policy: it is too large to be sent");
  }
  const std::string digest = Sha256(bytes);
  return impl_->Patiently([&] { return impl_->PublishOnce(bytes, digest); });
}

void RolloutClient::Collect(const CollectOptions& options) {
  impl_->Stop();
  v1::CollectRequest request;
  request.set_pool_id(impl_->pool.pool_id());
  request.set_lease_token(impl_->lease_token);
  request.set_fragment_length(options.fragment_length);
  request.set_max_fragments(options.max_fragments);
  request.set_deterministic(options.deterministic);
  request.set_policy_seed(options.policy_seed);
  request.set_max_in_flight(options.max_in_flight);
  request.set_max_message_bytes(options.max_message_bytes);
  {
    MutexLock lock(impl_->mutex);
    impl_->cancelled = false;
    impl_->end = absl::OkStatus();
  }
  impl_->reader = std::thread([this, request] { impl_->Read(request); });
}

absl::StatusOr<Fragment> RolloutClient::Next(absl::Time deadline) {
  MutexLock lock(impl_->mutex);
  const bool something =
      impl_->changed.WaitUntil(lock, deadline, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return !impl_->fragments.empty() || !impl_->end.ok() || impl_->cancelled;
      });
  if (!something) {
    return absl::DeadlineExceededError(
        absl::StrCat(impl_->channel().address(), ": no fragment came in time"));
  }
  if (!impl_->fragments.empty()) {
    Fragment fragment = std::move(impl_->fragments.front());
    impl_->fragments.pop_front();
    impl_->changed.NotifyAll();
    return fragment;
  }
  if (!impl_->end.ok()) return impl_->end;
  return absl::CancelledError("the collection was cancelled");
}

void RolloutClient::Cancel() { impl_->Stop(); }

}  // namespace hivewire
