// The carrier for unix: and tcp: addresses: one session stream (session.proto) on a channel of its
// own.
//
// A thread of the carrier's own always has a read pending, so that keepalive and control frames are
// seen while the caller is busy. What it reads waits in a queue that the lanes bound: each has at
// most one result outstanding.
#include <spdlog/spdlog.h>

#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "client/carrier.h"
#include "client/connection.h"
#include "client/control_client.h"
#include "client/control_client_impl.h"
#include "client/operation_numbers.h"
#include "hivewire/v1/session.grpc.pb.h"

namespace hivewire {

class GrpcCarrier final : public Carrier {
 public:
  static absl::StatusOr<std::unique_ptr<Carrier>> Make(const std::string& address,
                                                       const ConnectionOptions& connection,
                                                       const v1::CreatePoolRequest& request) {
    auto control = ControlClient::Connect(address, connection);
    if (!control.ok()) return control.status();
    auto created = (*control)->CreatePool(request);
    if (!created.ok()) return created.status();
    std::unique_ptr<GrpcCarrier> carrier(new GrpcCarrier(*std::move(control), *std::move(created)));
    const absl::Status attached = carrier->AttachStream();
    if (!attached.ok()) return attached;
    return carrier;
  }

  ~GrpcCarrier() override {
    if (stream_ != nullptr && !Broken()) {
      v1::ClientFrame frame;
      frame.mutable_detach()->set_release_pool(true);
      MutexLock lock(write_mutex_);
      stream_->Write(frame);
      stream_->WritesDone();
    } else {
      v1::ReleasePoolRequest release;
      release.set_pool_id(created_.pool().pool_id());
      release.set_lease_token(created_.lease_token());
      if (stream_ == nullptr) control_->ReleasePool(release).IgnoreError();
      context_.TryCancel();
    }
    if (reader_.joinable()) reader_.join();
  }

  const v1::PoolDescription& pool() const override { return created_.pool(); }

  absl::StatusOr<uint64_t> SendStep(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const char> actions) override {
    v1::ClientFrame frame;
    frame.mutable_step()->mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    frame.mutable_step()->set_actions(actions.data(), actions.size());
    return Send(env_ids, *frame.mutable_step()->mutable_op_nos(), frame);
  }

  absl::StatusOr<uint64_t> SendReset(absl::Span<const uint32_t> env_ids,
                                     absl::Span<const uint64_t> seeds) override {
    v1::ClientFrame frame;
    frame.mutable_reset()->mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    frame.mutable_reset()->mutable_seeds()->Add(seeds.begin(), seeds.end());
    return Send(env_ids, *frame.mutable_reset()->mutable_op_nos(), frame);
  }

  absl::StatusOr<uint64_t> SendLoad(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const std::string> snapshots) override {
    v1::ClientFrame frame;
    frame.mutable_load()->mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    for (const std::string& snapshot : snapshots) frame.mutable_load()->add_snapshots(snapshot);
    return Send(env_ids, *frame.mutable_load()->mutable_op_nos(), frame);
  }

  absl::StatusOr<Answer> Receive(absl::Time deadline) override {
    MutexLock lock(mutex_);
    if (current_ != nullptr) spare_.push_back(std::move(current_));
    const bool ready = arrived_.WaitUntil(lock, deadline, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return !frames_.empty() || !end_.ok();
    });
    if (frames_.empty()) {
      if (!end_.ok()) return end_;
      if (!ready)
        return absl::DeadlineExceededError(absl::StrCat(Address(), ": no batch came in time"));
    }
    current_ = std::move(frames_.front());
    frames_.pop_front();
    if (current_->has_batch()) return Answer{&current_->batch(), 0, absl::OkStatus()};
    // Its operations were never accepted.
    op_numbers_.TakeBack(current_->rejected().client_seq());
    return Answer{nullptr, current_->rejected().client_seq(),
                  Annotate(FromProto(current_->rejected().status()), Address())};
  }

  absl::StatusOr<std::vector<std::string>> SaveState(absl::Span<const uint32_t> env_ids) override {
    v1::SaveStateRequest request;
    request.set_pool_id(created_.pool().pool_id());
    request.set_lease_token(created_.lease_token());
    request.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    auto response = control_->SaveState(request);
    if (!response.ok()) return response.status();
    return std::vector<std::string>(response->snapshots().begin(), response->snapshots().end());
  }

  absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest& request) override {
    v1::RenderRequest owned = request;
    owned.set_pool_id(created_.pool().pool_id());
    owned.set_lease_token(created_.lease_token());
    return control_->Render(owned);
  }

 private:
  GrpcCarrier(std::unique_ptr<ControlClient> control, v1::CreatePoolResponse created)
      : control_(std::move(control)),
        created_(std::move(created)),
        op_numbers_(created_.pool().num_envs()) {}

  const std::string& Address() const { return control_->impl_->channel.address(); }

  bool Broken() const {
    MutexLock lock(mutex_);
    return !end_.ok();
  }

  absl::Status AttachStream() {
    const GrpcChannel& channel = control_->impl_->channel;
    channel.Prepare(context_);
    stub_ = v1::EnvSession::NewStub(channel.channel());
    stream_ = stub_->Connect(&context_);
    v1::ClientFrame frame;
    frame.set_seq(++seq_);
    v1::Attach& attach = *frame.mutable_attach();
    attach.set_pool_id(created_.pool().pool_id());
    attach.set_lease_token(created_.lease_token());
    attach.set_layout_hash(created_.pool().result_layout().hash());
    stream_->Write(frame);
    v1::ServerFrame reply;
    const bool received = stream_->Read(&reply);
    if (!received || !reply.has_attached()) {
      const grpc::Status status = stream_->Finish();
      stream_.reset();
      if (received && reply.has_fatal())
        return Annotate(FromProto(reply.fatal().status()), Address());
      return status.ok() ? absl::InternalError(
                               absl::StrCat(Address(), ": the server did not answer Attach"))
                         : channel.ToStatus(status);
    }
    reader_ = std::thread([this] { ReadFrames(); });
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Send(absl::Span<const uint32_t> env_ids,
                                google::protobuf::RepeatedField<uint64_t>& op_nos,
                                v1::ClientFrame& frame) {
    MutexLock lock(write_mutex_);
    frame.set_seq(++seq_);
    {
      MutexLock numbers_lock(mutex_);
      if (!end_.ok()) return end_;
      op_numbers_.Next(seq_, env_ids, op_nos);
    }
    if (stream_->Write(frame)) return frame.seq();
    // The reader finds out why.
    MutexLock end_lock(mutex_);
    arrived_.Wait(end_lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !end_.ok(); });
    return end_;
  }

  void ReadFrames() {
    absl::Status fatal;
    while (true) {
      std::unique_ptr<v1::ServerFrame> frame = SpareFrame();
      if (!stream_->Read(frame.get())) break;
      if (frame->has_batch() || frame->has_rejected()) {
        MutexLock lock(mutex_);
        frames_.push_back(std::move(frame));
        arrived_.NotifyAll();
      } else if (frame->has_draining()) {
        spdlog::warn("{} is draining and goes away within {} s", Address(),
                     frame->draining().grace_ms() / 1000);
      } else if (frame->has_fatal()) {
        fatal = Annotate(FromProto(frame->fatal().status()), Address());
        MutexLock lock(write_mutex_);
        stream_->WritesDone();
      }
    }
    const grpc::Status status = stream_->Finish();
    MutexLock lock(mutex_);
    if (!fatal.ok()) {
      end_ = fatal;
    } else if (status.ok()) {
      end_ = absl::UnavailableError(absl::StrCat(Address(), ": the server ended the session"));
    } else {
      end_ = control_->impl_->channel.ToStatus(status);
    }
    arrived_.NotifyAll();
  }

  std::unique_ptr<v1::ServerFrame> SpareFrame() {
    MutexLock lock(mutex_);
    if (spare_.empty()) return std::make_unique<v1::ServerFrame>();
    std::unique_ptr<v1::ServerFrame> frame = std::move(spare_.back());
    spare_.pop_back();
    return frame;
  }

  const std::unique_ptr<ControlClient> control_;
  const v1::CreatePoolResponse created_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::EnvSession::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;

  Mutex write_mutex_;
  uint64_t seq_ = 0;  // by write_mutex_, and before the reader starts

  mutable Mutex mutex_;
  Condition arrived_;
  std::deque<std::unique_ptr<v1::ServerFrame>> frames_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<v1::ServerFrame>> spare_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<v1::ServerFrame> current_ ABSL_GUARDED_BY(mutex_);
  OperationNumbers op_numbers_ ABSL_GUARDED_BY(mutex_);
  absl::Status end_ ABSL_GUARDED_BY(mutex_);  // why the stream is over
  std::thread reader_;
};

CarrierFactory GrpcCarriers() {
  return [](const std::string& address, const ConnectionOptions& connection,
            const v1::CreatePoolRequest& request) {
    return GrpcCarrier::Make(address, connection, request);
  };
}

}  // namespace hivewire
