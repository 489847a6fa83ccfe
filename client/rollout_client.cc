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
#include "client/recovery.h"
#include "client/rollout_pool.h"
#include "client/vector_env.h"

namespace hivewire {
namespace {

constexpr absl::Duration kOneAttempt = absl::Seconds(5);

// Other random numbers for a collection that is asked for again: its lanes have moved on.
uint64_t SeedOfAttempt(uint64_t seed, uint64_t attempt) {
  return seed + attempt * 0x9e3779b97f4a7c15u;
}

}  // namespace

struct RolloutClient::Impl {
  Impl(std::shared_ptr<RolloutPool> made, const ConnectionOptions& options,
       const v1::CreatePoolRequest& asked, std::vector<std::string> others)
      : description(made->description()),
        connection(options),
        request(asked),
        elsewhere(std::move(others)),
        current(std::move(made)) {}

  std::shared_ptr<RolloutPool> pool() const {
    MutexLock lock(mutex);
    return current;
  }

  // The reader: streams one after the other as connections break and servers drain, until the last
  // fragment.
  void Read(v1::CollectRequest request) {
    const uint64_t wanted = request.max_fragments();
    const uint64_t seed = request.policy_seed();
    std::vector<uint64_t> received(description.num_envs());  // fragments of each lane
    uint64_t least = 0;                                      // of all lanes
    absl::Time deadline = absl::Now() + connection.reconnect_timeout;
    uint64_t gaps = 0;
    while (true) {
      request.set_policy_seed(SeedOfAttempt(seed, gaps));
      if (wanted > 0) request.set_max_fragments(wanted - least);
      bool heard = false;
      const std::shared_ptr<RolloutPool> asked = pool();
      absl::Status status = ReadStream(*asked, request, gaps > 0, received, heard);
      least = *std::min_element(received.begin(), received.end());
      if (wanted > 0 && least >= wanted) {
        return End(absl::OutOfRangeError("the collection is complete"));
      }
      if (ReasonOf(status) == v1::ERROR_REASON_DRAINING) {
        status = Move(*asked, status);
        if (!status.ok()) return End(status);
        continue;
      }
      if (status.ok()) {
        status = absl::UnavailableError(
            absl::StrCat(asked->channel().address(), ": the server ended the collection early"));
      }
      if (heard) deadline = absl::Now() + connection.reconnect_timeout;
      status = AwaitServer(*asked, status, deadline);
      if (!status.ok()) return End(status);
      ++gaps;
    }
  }

  // One call of Collect, to its end; the Status says why it ended.
  absl::Status ReadStream(const RolloutPool& from, v1::CollectRequest& request, bool resumed,
                          std::vector<uint64_t>& received, bool& heard) {
    request.set_pool_id(from.description().pool_id());
    request.set_lease_token(from.lease_token());
    grpc::ClientContext context;
    from.channel().Prepare(context);
    {
      MutexLock lock(mutex);
      if (cancelled) return absl::CancelledError("cancelled");
      running = &context;
    }
    const auto reader = from.stub().Collect(&context, request);
    absl::Status wrong;
    v1::CollectResponse response;
    while (wrong.ok() && reader->Read(&response)) {
      absl::StatusOr<Fragment> fragment =
          Fragment::Parse(std::move(*response.mutable_fragment()), description);
      if (fragment.ok() && fragment->length() > request.fragment_length()) {
        fragment = absl::DataLossError(absl::StrCat("fragment.length: ", fragment->length(),
                                                    " steps where ", request.fragment_length(),
                                                    " were asked for"));
      }
      if (!fragment.ok()) {
        wrong = Annotate(fragment.status(), from.channel().address());
        context.TryCancel();
        break;
      }
      heard = true;
      for (const uint32_t lane : fragment->env_ids()) ++received[lane];
      fragment->set_after_gap(resumed);
      Put(*std::move(fragment), request.max_in_flight());
    }
    const absl::Status finished = from.channel().ToStatus(reader->Finish());
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
  absl::Status AwaitServer(const RolloutPool& lost, const absl::Status& broken,
                           absl::Time deadline) {
    const GrpcChannel& channel = lost.channel();
    while (true) {
      {
        MutexLock lock(mutex);
        if (cancelled) return absl::CancelledError("the collection was cancelled");
      }
      if (!IsBrokenConnection(broken) && !IsStillHeld(broken)) return lost.Explain(broken);
      if (absl::Now() >= deadline) {
        return absl::UnavailableError(absl::StrCat(
            broken.message(), ", for ", absl::FormatDuration(connection.reconnect_timeout)));
      }
      channel.Pause();
      if (channel.Ping(std::min(deadline, absl::Now() + kOneAttempt)).ok()) {
        spdlog::debug("{}; collecting anew", std::string(broken.message()));
        return absl::OkStatus();
      }
    }
  }

  // The lanes of `leaving`, whose server drains, go to the first server that takes them: as they
  // stand, and with the policy in force. Not OK, with `why`, where none does.
  absl::Status Move(RolloutPool& leaving, const absl::Status& why) {
    const std::string& from = leaving.channel().address();
    absl::StatusOr<std::vector<std::string>> snapshots = absl::UnknownError("");
    std::string refusals;
    for (const std::string& address : elsewhere) {
      if (address == from) continue;
      if (!snapshots.ok()) snapshots = leaving.SaveState();
      if (!snapshots.ok()) return snapshots.status();
      const absl::Status status = MoveTo(address, from, *snapshots);
      if (status.ok() || absl::IsCancelled(status)) return status;
      absl::StrAppend(&refusals, "; ", status.message());
    }
    return MakeError(
        v1::ERROR_REASON_DRAINING,
        absl::StrCat(why.message(),
                     refusals.empty() ? ", and there is no other server (see standby)" : refusals));
  }

  absl::Status MoveTo(const std::string& address, const std::string& from,
                      const std::vector<std::string>& snapshots) {
    {
      MutexLock lock(mutex);
      if (cancelled) return absl::CancelledError("the collection was cancelled");
    }
    auto made = RolloutPool::Create(address, connection, request);
    if (!made.ok()) return made.status();
    absl::Status status = CheckSamePool(description, from, (*made)->description(), address);
    if (status.ok()) status = (*made)->LoadState(snapshots).status();
    if (!status.ok()) return status;
    // What is published meanwhile waits, and is published there.
    MutexLock policy_lock(policy_mutex);
    if (!policy.empty()) status = (*made)->Publish(policy).status();
    if (!status.ok()) return status;
    spdlog::info("{} is draining: its {} lanes moved to {}", from, description.num_envs(), address);
    MutexLock lock(mutex);
    current = *std::move(made);
    return absl::OkStatus();
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

  const v1::PoolDescription description;  // of the first pool; the others differ in their id
  const ConnectionOptions connection;
  const v1::CreatePoolRequest request;
  const std::vector<std::string> elsewhere;

  // Serialised: the one that was published last.
  Mutex policy_mutex;
  std::string policy ABSL_GUARDED_BY(policy_mutex);

  mutable Mutex mutex;
  Condition changed;
  std::shared_ptr<RolloutPool> current ABSL_GUARDED_BY(mutex);
  std::deque<Fragment> fragments ABSL_GUARDED_BY(mutex);
  grpc::ClientContext* running ABSL_GUARDED_BY(mutex) = nullptr;
  bool cancelled ABSL_GUARDED_BY(mutex) = true;
  // Not OK once no further fragment will come.
  absl::Status end ABSL_GUARDED_BY(mutex) = absl::FailedPreconditionError("nothing is collected");
  std::thread reader;
};

RolloutClient::RolloutClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<RolloutClient>> RolloutClient::Create(
    const std::string& address, const ConnectionOptions& connection,
    const v1::CreatePoolRequest& request, const std::vector<std::string>& elsewhere) {
  auto pool = RolloutPool::Create(address, connection, request);
  if (!pool.ok()) return pool.status();
  return std::unique_ptr<RolloutClient>(
      new RolloutClient(std::make_unique<Impl>(*std::move(pool), connection, request, elsewhere)));
}

RolloutClient::~RolloutClient() { impl_->Stop(); }

const v1::PoolDescription& RolloutClient::pool() const { return impl_->description; }

absl::StatusOr<v1::Rows> RolloutClient::Reset(absl::Span<const uint64_t> seeds) {
  return impl_->pool()->Reset(seeds);
}

absl::StatusOr<std::vector<std::string>> RolloutClient::SaveState() {
  return impl_->pool()->SaveState();
}

absl::StatusOr<v1::Rows> RolloutClient::LoadState(const std::vector<std::string>& snapshots) {
  return impl_->pool()->LoadState(snapshots);
}

absl::StatusOr<uint64_t> RolloutClient::Publish(const v1::Policy& policy) {
  std::string bytes;
  if (!policy.SerializeToString(&bytes)) {
    return absl::InvalidArgumentError("policy: it is too large to be sent");
  }
  MutexLock lock(impl_->policy_mutex);
  auto version = impl_->pool()->Publish(bytes);
  if (version.ok()) impl_->policy = std::move(bytes);
  return version;
}

void RolloutClient::Collect(const CollectOptions& options) {
  impl_->Stop();
  v1::CollectRequest request;
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
        absl::StrCat(impl_->current->channel().address(), ": no fragment came in time"));
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

void RolloutClient::Release() {
  impl_->Stop();
  impl_->pool()->Release();
}

}  // namespace hivewire
