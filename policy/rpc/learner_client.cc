#include "policy/rpc/learner_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/grpc_channel.h"
#include "hivewire/v1/training.grpc.pb.h"

namespace hivewire {
namespace {

constexpr absl::Duration kUnaryDeadline = absl::Seconds(10);
constexpr absl::Duration kLook = absl::Milliseconds(100);

absl::Status RunIsOver() { return absl::OutOfRangeError("the run is over"); }

// Whether the connection broke, and may be mended.
bool Broke(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

}  // namespace

struct LearnerClient::Impl {
  using FragmentStream =
      grpc::ClientReaderWriterInterface<v1::PushFragmentsRequest, v1::PushFragmentsResponse>;

  Impl(GrpcChannel given, absl::Duration timeout, PolicyMaker given_maker)
      : channel(std::move(given)),
        reconnect_timeout(timeout),
        maker(std::move(given_maker)),
        stub(v1::Training::NewStub(channel.channel())) {}

  // Opens the stream of fragments, and tells the learner that this collector is there.
  void Open() {
    fragment_context = std::make_unique<grpc::ClientContext>();
    channel.Prepare(*fragment_context);
    fragments = stub->PushFragments(fragment_context.get());
    v1::PushFragmentsRequest hello;
    hello.set_collector_id(collector_id);
    fragments->Write(hello);
  }

  absl::Status Close() {
    if (fragments == nullptr) return absl::OkStatus();
    fragments->WritesDone();
    const absl::Status status = channel.ToStatus(fragments->Finish());
    fragments.reset();
    return status;
  }

  // Calls `attempt` until it succeeds, or fails by more than a broken connection.
  absl::Status Mend(const std::function<bool()>& attempt) {
    const absl::Time deadline = absl::Now() + reconnect_timeout;
    while (true) {
      if (fragments == nullptr) Open();
      if (attempt()) return absl::OkStatus();
      const absl::Status status = Close();
      if (!status.ok() && !Broke(status)) return status;
      if (absl::Now() > deadline) {
        return absl::UnavailableError("the learner's stream of fragments is not back in time");
      }
      channel.Pause();
    }
  }

  // The answer to the fragment that was sent last, sending it again where the stream breaks.
  absl::Status AwaitAnswer(v1::PushFragmentsResponse& answer) {
    bool sent = true;
    const absl::Status status = Mend([&] {
      if (!sent) sent = fragments->Write(*unanswered);
      const bool answered = sent && fragments->Read(&answer);
      sent = answered;
      return answered;
    });
    if (status.ok()) unanswered.reset();
    return status;
  }

  // One stream of policies; how it ended.
  absl::Status Watch() {
    grpc::ClientContext context;
    {
      MutexLock lock(mutex);
      if (closing) return absl::CancelledError("closing");
      watch_context = &context;
    }
    channel.Prepare(context);
    v1::WatchWeightsRequest request;
    request.set_collector_id(collector_id);
    request.set_after_version(policy == nullptr ? 0 : policy->portable().version());
    const auto stream = stub->WatchWeights(&context, request);
    v1::WatchWeightsResponse weights;
    absl::Status bad;
    while (bad.ok() && stream->Read(&weights)) {
      watched = absl::Now();
      auto made = maker(weights.policy());
      bad = made.status();
      MutexLock lock(mutex);
      if (made.ok()) policy = *std::move(made);
      changed.NotifyAll();
    }
    if (!bad.ok()) context.TryCancel();
    const absl::Status ended = channel.ToStatus(stream->Finish());
    MutexLock lock(mutex);
    watch_context = nullptr;
    return bad.ok() ? ended : bad;
  }

  void KeepWatching() {
    watched = absl::Now();
    while (true) {
      const absl::Status status = Watch();
      MutexLock lock(mutex);
      if (closing) return;
      if (status.ok()) {
        failure = RunIsOver();
      } else if (!Broke(status) || absl::Now() > watched + reconnect_timeout) {
        failure = status;
      }
      changed.NotifyAll();
      if (!failure.ok()) return;
      lock.Unlock();
      channel.Pause();
      lock.Lock();
    }
  }

  const GrpcChannel channel;
  const absl::Duration reconnect_timeout;
  const PolicyMaker maker;
  const std::unique_ptr<v1::Training::Stub> stub;
  uint64_t collector_id = 0;

  // Of the thread that pushes.
  std::unique_ptr<grpc::ClientContext> fragment_context;
  std::unique_ptr<FragmentStream> fragments;
  uint64_t fragment_no = 0;
  std::optional<v1::PushFragmentsRequest> unanswered;

  std::thread watcher;
  absl::Time watched;  // the watcher's own: when a policy came, or the learner was there
  mutable Mutex mutex;
  Condition changed;
  bool closing ABSL_GUARDED_BY(mutex) = false;
  grpc::ClientContext* watch_context ABSL_GUARDED_BY(mutex) = nullptr;
  PolicyPointer policy ABSL_GUARDED_BY(mutex);
  absl::Status failure ABSL_GUARDED_BY(mutex);
};

LearnerClient::LearnerClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<LearnerClient>> LearnerClient::Create(
    const std::string& address, const ConnectionOptions& options, PolicyMaker maker) {
  absl::StatusOr<GrpcChannel> channel = GrpcChannel::Make(address, options);
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<LearnerClient>(new LearnerClient(
      std::make_unique<Impl>(*std::move(channel), options.reconnect_timeout, std::move(maker))));
}

LearnerClient::~LearnerClient() {
  {
    MutexLock lock(impl_->mutex);
    impl_->closing = true;
    if (impl_->watch_context != nullptr) impl_->watch_context->TryCancel();
  }
  if (impl_->watcher.joinable()) impl_->watcher.join();
  if (impl_->fragments != nullptr) {
    impl_->fragment_context->TryCancel();
    impl_->fragments->Finish();
  }
}

absl::StatusOr<v1::DescribeRunResponse> LearnerClient::Describe() {
  grpc::ClientContext context;
  impl_->channel.Prepare(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kUnaryDeadline));
  v1::DescribeRunResponse response;
  const grpc::Status status = impl_->stub->DescribeRun(&context, {}, &response);
  if (!status.ok()) return impl_->channel.ToStatus(status);
  return response;
}

absl::StatusOr<v1::RegisterResponse> LearnerClient::Register(const v1::RegisterRequest& request) {
  grpc::ClientContext context;
  impl_->channel.Prepare(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kUnaryDeadline));
  v1::RegisterResponse response;
  const grpc::Status status = impl_->stub->Register(&context, request, &response);
  if (!status.ok()) return impl_->channel.ToStatus(status);
  impl_->collector_id = response.collector_id();
  impl_->Open();
  impl_->watcher = std::thread([this] { impl_->KeepWatching(); });
  return response;
}

absl::StatusOr<LearnerClient::PolicyPointer> LearnerClient::WaitForPolicy(
    uint64_t version, const std::function<bool()>& stop) {
  Impl& impl = *impl_;
  MutexLock lock(impl.mutex);
  while (true) {
    if (!impl.failure.ok()) return impl.failure;
    if (impl.policy != nullptr && impl.policy->portable().version() > version) return impl.policy;
    if (stop()) return absl::CancelledError("stopped");
    impl.changed.WaitUntil(lock, absl::Now() + kLook, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return !impl.failure.ok() ||
             (impl.policy != nullptr && impl.policy->portable().version() > version);
    });
  }
}

LearnerClient::PolicyPointer LearnerClient::newest() const {
  MutexLock lock(impl_->mutex);
  return impl_->policy;
}

absl::StatusOr<bool> LearnerClient::Push(const Experience& experience) {
  Impl& impl = *impl_;
  v1::PushFragmentsResponse answer;
  if (impl.unanswered.has_value()) {
    if (absl::Status status = impl.AwaitAnswer(answer); !status.ok()) return status;
    if (answer.done()) return RunIsOver();
  }
  impl.unanswered.emplace();
  impl.unanswered->set_collector_id(impl.collector_id);
  impl.unanswered->set_fragment_no(++impl.fragment_no);
  *impl.unanswered->mutable_fragment() = ToFragment(experience);
  const absl::Status status =
      impl.Mend([&impl] { return impl.fragments->Write(*impl.unanswered); });
  if (!status.ok()) return status;
  return answer.dropped_as_stale();
}

}  // namespace hivewire
