// The carrier for unix: and tcp: addresses: a lease on a pool, and session streams (session.proto)
// on a channel of its own, one after the other as connections break.
//
// Whoever waits in Receive reads from the stream itself: handing the frame from another thread
// would cost more than the network does. When the caller is away for a while, a thread of the
// carrier's own, the keeper, reads instead, so that keepalive and control frames are seen. What it
// reads waits in a queue that the lanes bound: each has at most one result outstanding.
//
// When a stream breaks the keeper attaches again with the lease's token and the number of the last
// batch, and sends again what the server did not accept; the server sends what was missed.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/layout.h"
#include "base/mutex.h"
#include "client/carrier.h"
#include "client/connection.h"
#include "client/control_client.h"
#include "client/control_client_impl.h"
#include "client/outbox.h"
#include "client/recovery.h"
#include "client/session_stream.h"
#include "client/wire_check.h"

namespace hivewire {
namespace {

constexpr absl::Duration kOneAttempt = absl::Seconds(5);
// A caller that is away so long leaves the reading to the keeper.
constexpr absl::Duration kAway = absl::Milliseconds(20);
// A stream that held this long counts as a new start for reconnect_timeout.
constexpr absl::Duration kStable = absl::Seconds(1);

}  // namespace

class GrpcCarrier final : public Carrier {
 public:
  static absl::StatusOr<std::unique_ptr<Carrier>> Make(const std::string& address,
                                                       const ConnectionOptions& connection,
                                                       const v1::CreatePoolRequest& request) {
    auto control = ControlClient::Connect(address, connection);
    if (!control.ok()) return control.status();
    v1::CreatePoolRequest keyed = request;
    if (keyed.idempotency_key().empty()) keyed.set_idempotency_key(NewIdempotencyKey());
    std::unique_ptr<GrpcCarrier> carrier(
        new GrpcCarrier(*std::move(control), connection.reconnect_timeout));
    auto created = carrier->Patiently([&] { return carrier->control_->CreatePool(keyed); });
    if (!created.ok()) return created.status();
    carrier->num_envs_asked_ = request.num_envs();
    return Start(std::move(carrier), created->pool().pool_id(), created->lease_token());
  }

  static absl::StatusOr<std::unique_ptr<Carrier>> AttachTo(const std::string& address,
                                                           const ConnectionOptions& connection,
                                                           const std::string& pool_id,
                                                           const std::string& lease_token) {
    auto control = ControlClient::Connect(address, connection);
    if (!control.ok()) return control.status();
    std::unique_ptr<GrpcCarrier> carrier(
        new GrpcCarrier(*std::move(control), connection.reconnect_timeout));
    carrier->Leave();  // a pool that cannot be attached to is not ours to release
    auto started = Start(std::move(carrier), pool_id, lease_token);
    if (started.ok()) static_cast<GrpcCarrier&>(**started).leaving_ = false;
    return started;
  }

  ~GrpcCarrier() override {
    {
      MutexLock lock(mutex_);
      closing_ = true;
      if (stream_ != nullptr) SayGoodbye();
      keeper_needed_.NotifyAll();
    }
    if (keeper_.joinable()) keeper_.join();
    if (leaving_ || detached_ || lease_token_.empty()) return;
    v1::ReleasePoolRequest release;
    release.set_pool_id(pool_id_);
    release.set_lease_token(lease_token_);
    control_->ReleasePool(release).IgnoreError();
  }

  const v1::PoolDescription& pool() const override { return description_; }
  std::string lease_token() const override { return lease_token_; }
  std::vector<uint32_t> lanes_to_come() const override { return lanes_to_come_; }
  bool draining() const override { return draining_; }
  void Leave() override { leaving_ = true; }

  absl::StatusOr<uint64_t> SendStep(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const char> actions) override {
    auto frame = std::make_unique<v1::ClientFrame>();
    v1::StepLanes& step = *frame->mutable_step();
    step.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    step.set_actions(actions.data(), actions.size());
    return Send(env_ids, *step.mutable_op_nos(), std::move(frame));
  }

  absl::StatusOr<uint64_t> SendReset(absl::Span<const uint32_t> env_ids,
                                     absl::Span<const uint64_t> seeds) override {
    auto frame = std::make_unique<v1::ClientFrame>();
    v1::ResetLanes& reset = *frame->mutable_reset();
    reset.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    reset.mutable_seeds()->Add(seeds.begin(), seeds.end());
    return Send(env_ids, *reset.mutable_op_nos(), std::move(frame));
  }

  absl::StatusOr<uint64_t> SendLoad(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const std::string> snapshots) override {
    auto frame = std::make_unique<v1::ClientFrame>();
    v1::LoadLanes& load = *frame->mutable_load();
    load.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    for (const std::string& snapshot : snapshots) load.add_snapshots(snapshot);
    return Send(env_ids, *load.mutable_op_nos(), std::move(frame));
  }

  absl::StatusOr<Answer> Receive(absl::Time deadline) override {
    const absl::Duration patience = deadline - absl::Now();
    MutexLock lock(mutex_);
    if (current_ != nullptr) spare_.push_back(std::move(current_));
    away_since_ = absl::InfiniteFuture();
    const absl::Status status = WaitForFrame(lock, deadline, patience);
    away_since_ = absl::Now();
    if (!status.ok()) return status;
    current_ = std::move(frames_.front());
    frames_.pop_front();
    if (current_->has_batch()) return Answer{&current_->batch(), 0, absl::OkStatus()};
    return Answer{nullptr, current_->rejected().client_seq(),
                  Annotate(FromProto(current_->rejected().status()), Address())};
  }

  absl::StatusOr<std::vector<std::string>> SaveState(absl::Span<const uint32_t> env_ids) override {
    v1::SaveStateRequest request;
    request.set_pool_id(pool_id_);
    request.set_lease_token(lease_token_);
    request.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    auto response = Patiently([&] { return control_->SaveState(request); });
    if (!response.ok()) return response.status();
    return std::vector<std::string>(response->snapshots().begin(), response->snapshots().end());
  }

  absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest& request) override {
    v1::RenderRequest owned = request;
    owned.set_pool_id(pool_id_);
    owned.set_lease_token(lease_token_);
    return Patiently([&] { return control_->Render(owned); });
  }

  absl::StatusOr<v1::GetPropertiesResponse> GetProperties(
      const v1::GetPropertiesRequest& request) override {
    v1::GetPropertiesRequest owned = request;
    owned.set_pool_id(pool_id_);
    owned.set_lease_token(lease_token_);
    return Patiently([&] { return control_->GetProperties(owned); });
  }

  absl::Status SetProperties(const v1::SetPropertiesRequest& request) override {
    v1::SetPropertiesRequest owned = request;
    owned.set_pool_id(pool_id_);
    owned.set_lease_token(lease_token_);
    return Patiently([&] { return control_->SetProperties(owned); }).status();
  }

 private:
  GrpcCarrier(std::unique_ptr<ControlClient> control, absl::Duration reconnect_timeout)
      : control_(std::move(control)), reconnect_timeout_(reconnect_timeout), outbox_(0) {}

  static absl::StatusOr<std::unique_ptr<Carrier>> Start(std::unique_ptr<GrpcCarrier> carrier,
                                                        const std::string& pool_id,
                                                        const std::string& lease_token) {
    carrier->pool_id_ = pool_id;
    carrier->lease_token_ = lease_token;
    const absl::Status attached =
        carrier->AttachPatiently(absl::Now() + carrier->reconnect_timeout_, absl::OkStatus());
    if (!attached.ok()) return attached;
    carrier->keeper_ = std::thread([kept = carrier.get()] { kept->Keep(); });
    return carrier;
  }

  const GrpcChannel& Channel() const { return control_->impl_->channel; }
  const std::string& Address() const { return Channel().address(); }

  absl::StatusOr<uint64_t> Send(absl::Span<const uint32_t> env_ids,
                                google::protobuf::RepeatedField<uint64_t>& op_nos,
                                std::unique_ptr<v1::ClientFrame> frame) {
    MutexLock lock(mutex_);
    if (!end_.ok()) return end_;
    const uint64_t seq = ++client_seq_;
    frame->set_seq(seq);
    // It is kept until it is answered, so a failure is the keeper's business.
    Outbox::Frame kept = outbox_.Put(env_ids, op_nos, std::move(frame));
    if (stream_ != nullptr && stream_->Write(std::move(kept)) && !polling_) Urge();
    return seq;
  }

  // For something that must not wait until the caller is back in Receive.
  void Urge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    urgent_ = true;
    keeper_needed_.NotifyAll();
  }

  // Until frames_ has one, or there will be none.
  absl::Status WaitForFrame(MutexLock& lock, absl::Time deadline, absl::Duration patience)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (frames_.empty()) {
      if (!end_.ok()) return end_;
      if (!connected_) {
        // The keeper's own patience is what counts.
        changed_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return connected_ || !end_.ok() || !frames_.empty();
        });
        continue;
      }
      const absl::Time limit = std::max(deadline, connected_since_ + patience);
      if (!polling_) {
        Poll(lock, limit);
      } else {
        changed_.WaitUntil(lock, limit, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return !polling_ || !connected_ || !end_.ok() || !frames_.empty();
        });
      }
      if (frames_.empty() && connected_ && absl::Now() >= limit)
        return absl::DeadlineExceededError(absl::StrCat(Address(), ": no batch came in time"));
    }
    return absl::OkStatus();
  }

  // Waits for the next event of the stream, and sees to it. One thread at a time (polling_).
  void Poll(MutexLock& lock, absl::Time limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::unique_ptr<v1::ServerFrame> frame;
    if (!spare_.empty()) {
      frame = std::move(spare_.back());
      spare_.pop_back();
    } else {
      frame = std::make_unique<v1::ServerFrame>();
    }
    SessionStream& stream = *stream_;
    polling_ = true;
    lock.Unlock();
    const SessionStream::Event event = stream.Next(limit, *frame);
    lock.Lock();
    polling_ = false;
    if (event == SessionStream::Event::kFrame) Accept(std::move(frame));
    if (event == SessionStream::Event::kEnd) {
      connected_ = false;
      keeper_needed_.NotifyAll();
    }
    changed_.NotifyAll();
  }

  // An idempotent unary call, over a connection that may break.
  template <typename Call>
  auto Patiently(Call call) -> decltype(call()) {
    const absl::Time deadline = absl::Now() + reconnect_timeout_;
    while (true) {
      auto response = call();
      if (response.ok()) return response;
      if (!IsBrokenConnection(response.status()) || absl::Now() >= deadline)
        return Explain(response.status());
      Channel().Pause();
    }
  }

  // What an answer about our own pool means for the caller.
  absl::Status Explain(const absl::Status& status) const {
    const v1::ErrorReason reason = ReasonOf(status);
    if (reason != v1::ERROR_REASON_UNKNOWN_POOL && reason != v1::ERROR_REASON_BAD_LEASE) {
      return status;
    }
    if (draining_) {
      return MakeError(v1::ERROR_REASON_DRAINING,
                       absl::StrCat(Address(), ": the server drained and took pool \"", pool_id_,
                                    "\" with it; give another server's address to move to"),
                       "standby");
    }
    // A server that restarted counts its pools anew: the pool of this id may be somebody else's.
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                     absl::StrCat(Address(), ": pool \"", pool_id_,
                                  "\" is gone: the server restarted, or the pool was released, or "
                                  "its lease ran out; make a new one"),
                     "pool_id", pool_id_);
  }

  // Attaches, again and again until `deadline`. `broken` says what happened to the stream before.
  absl::Status AttachPatiently(absl::Time deadline, const absl::Status& broken) {
    while (true) {
      absl::Status status = Channel().Ping(std::min(deadline, absl::Now() + kOneAttempt));
      if (status.ok()) status = Attach();
      if (status.ok()) return status;
      if (!IsBrokenConnection(status)) return Explain(status);
      if (absl::Now() >= deadline) {
        return absl::UnavailableError(
            absl::StrCat(broken.ok() ? "" : absl::StrCat(broken.message(), "; then "),
                         status.message(), ", for ", absl::FormatDuration(reconnect_timeout_)));
      }
      Channel().Pause();
      MutexLock lock(mutex_);
      if (closing_) return absl::CancelledError("closed");
    }
  }

  absl::Status Attach() {
    v1::Attach attach;
    attach.set_pool_id(pool_id_);
    attach.set_lease_token(lease_token_);
    attach.set_layout_hash(description_.result_layout().hash());
    {
      MutexLock lock(mutex_);
      attach.set_resume_after_seq(last_seq_);
    }
    v1::Attached attached;
    auto stream = SessionStream::Attach(Channel(), attach, attached);
    if (!stream.ok()) return stream.status();
    if (description_.num_envs() == 0) {
      const absl::Status whole = CheckPool(attached.pool(), num_envs_asked_);
      if (!whole.ok()) return Foreign(whole);
      BeginWith(attached);
    }
    MutexLock lock(mutex_);
    std::vector<Outbox::Frame> frames;
    const absl::Status status = outbox_.Unaccepted(attached.accepted_op_no(), frames);
    if (!status.ok()) return Foreign(status);
    stream_ = *std::move(stream);
    bool unsent = false;
    for (Outbox::Frame& frame : frames) unsent = stream_->Write(std::move(frame));
    if (closing_) SayGoodbye();  // the destructor found no stream to say it on
    if (unsent) Urge();
    heard_ = false;
    fatal_ = absl::OkStatus();
    connected_ = true;
    connected_since_ = absl::Now();
    changed_.NotifyAll();
    return absl::OkStatus();
  }

  // The first Attach: what the pool is, and how far its lanes are.
  void BeginWith(v1::Attached& attached) {
    description_.Swap(attached.mutable_pool());
    layout_ = PayloadLayout(description_.result_layout());
    final_layout_ = PayloadLayout(description_.final_layout());
    for (const v1::LayoutLeaf& leaf : description_.result_layout().leaves()) {
      if (leaf.role() == v1::LEAF_ROLE_OP_NO) break;
      ++op_no_leaf_;
    }
    MutexLock lock(mutex_);
    outbox_ = Outbox(description_.num_envs());
    lanes_to_come_ = outbox_.TakeOver(attached.accepted_op_no());
  }

  // The server breaks the protocol, or the pool is another one: no attempt will cure that.
  absl::Status Foreign(const absl::Status& status) const {
    return absl::DataLossError(absl::StrCat(Address(), ": ", status.message()));
  }

  void SayGoodbye() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto frame = std::make_shared<v1::ClientFrame>();
    frame->mutable_detach()->set_release_pool(!leaving_);
    stream_->Write(std::move(frame));
    stream_->HalfClose();
  }

  // The keeper: reads while nobody else does, and attaches again when the stream breaks.
  void Keep() {
    absl::Time deadline = absl::Now() + reconnect_timeout_;
    while (true) {
      const absl::Time begun = absl::Now();
      ReadToTheEnd();
      absl::Status status = stream_->Finish();
      bool closing = false;
      {
        MutexLock lock(mutex_);
        if (!fatal_.ok()) status = fatal_;
        if (heard_ || absl::Now() - begun >= kStable) deadline = absl::Now() + reconnect_timeout_;
        closing = closing_;
        stream_.reset();
      }
      if (closing) {
        detached_ = status.ok();
        return End(absl::CancelledError("closed"));
      }
      if (status.ok()) {
        status = absl::UnavailableError(absl::StrCat(Address(), ": the server ended the session"));
      }
      if (!IsBrokenConnection(status)) return End(Explain(status));
      spdlog::debug("{}; attaching again", std::string(status.message()));
      status = AttachPatiently(deadline, status);
      if (!status.ok()) return End(status);
    }
  }

  void ReadToTheEnd() {
    MutexLock lock(mutex_);
    while (connected_) {
      const bool needed = urgent_ || closing_ || absl::Now() >= away_since_ + kAway;
      if (needed && !polling_) {
        urgent_ = false;
        Poll(lock, absl::InfiniteFuture());
      } else {
        keeper_needed_.WaitUntil(lock, absl::Now() + kAway / 2,
                                 [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                   return !connected_ || ((urgent_ || closing_) && !polling_);
                                 });
      }
    }
  }

  void End(const absl::Status& why) {
    MutexLock lock(mutex_);
    end_ = why;
    changed_.NotifyAll();
  }

  void Accept(std::unique_ptr<v1::ServerFrame> frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    heard_ = true;
    if (!fatal_.ok()) return;
    if (frame->has_batch() || frame->has_rejected()) {
      fatal_ = Take(std::move(frame));
      if (!fatal_.ok()) stream_->Cancel();
    } else if (frame->has_draining() && !draining_.exchange(true)) {
      spdlog::warn("{} is draining and goes away within {} s", Address(),
                   frame->draining().grace_ms() / 1000);
    } else if (frame->has_fatal()) {
      fatal_ = Annotate(FromProto(frame->fatal().status()), Address());
      stream_->HalfClose();
    }
  }

  // An answer: it is checked, it ends what was outstanding, and it waits for Receive.
  absl::Status Take(std::unique_ptr<v1::ServerFrame> frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (frame->has_rejected()) {
      if (!outbox_.Refused(frame->rejected().client_seq())) return absl::OkStatus();
    } else {
      const v1::Batch& batch = frame->batch();
      const size_t rows = static_cast<size_t>(batch.env_ids_size());
      const absl::Status whole = CheckBatch(batch, layout_, final_layout_, description_.num_envs());
      if (!whole.ok()) return Foreign(whole);
      const char* op_nos = batch.payload().data() + layout_.Offset(op_no_leaf_, rows);
      for (size_t row = 0; row < rows; ++row) {
        uint64_t op_no = 0;
        std::memcpy(&op_no, op_nos + row * sizeof(op_no), sizeof(op_no));
        const absl::Status status = outbox_.Answered(batch.env_ids(static_cast<int>(row)), op_no);
        if (!status.ok()) return Foreign(status);
      }
      last_seq_ = frame->seq();
    }
    frames_.push_back(std::move(frame));
    return absl::OkStatus();
  }

  const std::unique_ptr<ControlClient> control_;
  const absl::Duration reconnect_timeout_;
  std::string pool_id_;
  std::string lease_token_;
  uint32_t num_envs_asked_ = 0;  // 0: the pool was there before
  // By the first Attach; constant from then on.
  v1::PoolDescription description_;
  PayloadLayout layout_, final_layout_;
  size_t op_no_leaf_ = 0;
  std::vector<uint32_t> lanes_to_come_;

  std::atomic<bool> draining_{false};
  std::atomic<bool> leaving_{false};
  bool detached_ = false;  // by the keeper, read after it was joined

  mutable Mutex mutex_;
  // Null while there is none. Only the keeper replaces it, while nobody polls.
  std::unique_ptr<SessionStream> stream_;
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;  // somebody is in stream_->Next
  // When the caller left Receive; it is there: the infinite future.
  absl::Time away_since_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool urgent_ ABSL_GUARDED_BY(mutex_) = false;
  Condition keeper_needed_;
  // Of the stream: whether anything came, and what ended it for good.
  bool heard_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status fatal_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t client_seq_ ABSL_GUARDED_BY(mutex_) = 0;

  Condition changed_;  // for the caller
  std::deque<std::unique_ptr<v1::ServerFrame>> frames_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<v1::ServerFrame> current_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<v1::ServerFrame>> spare_ ABSL_GUARDED_BY(mutex_);  // to be read into
  Outbox outbox_ ABSL_GUARDED_BY(mutex_);
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time connected_since_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);  // why there will be no further stream
  std::thread keeper_;
};

CarrierFactory GrpcCarriers() {
  return [](const std::string& address, const ConnectionOptions& connection,
            const v1::CreatePoolRequest& request) {
    return GrpcCarrier::Make(address, connection, request);
  };
}

absl::StatusOr<std::unique_ptr<Carrier>> AttachToPool(const std::string& address,
                                                      const ConnectionOptions& connection,
                                                      const std::string& pool_id,
                                                      const std::string& lease_token) {
  return GrpcCarrier::AttachTo(address, connection, pool_id, lease_token);
}

}  // namespace hivewire
