#include "server/rpc/session_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/mutex.h"
#include "server/rpc/observer_session.h"
#include "server/rpc/status.h"

namespace hivewire {
namespace {

// A day: as good as no limit.
constexpr uint64_t kMaxWaitMicroseconds = 86400000000;

using Stream = grpc::ServerReaderWriter<v1::ServerFrame, v1::ClientFrame>;

class Session {
 public:
  Session(PoolTable& pools, absl::Duration drain_grace, grpc::ServerContext& context,
          Stream& stream)
      : pools_(pools), drain_grace_(drain_grace), context_(context), stream_(stream) {}

  // The whole story; the Status is the call's.
  absl::Status Run() {
    v1::ClientFrame frame;
    if (!stream_.Read(&frame)) return absl::CancelledError("the stream ended before Attach");
    if (!frame.has_attach()) {
      return Refuse(MakeError(v1::ERROR_REASON_BAD_FRAME,
                              "the first frame of a session must be Attach", "attach"));
    }
    absl::Status status = CheckAttach(frame.attach());
    if (!status.ok()) return Refuse(status);
    if (frame.attach().observe()) {
      return Observe(pools_, *hosted_, drain_grace_, max_message_bytes_, context_, stream_);
    }
    const absl::StatusOr<uint64_t> epoch = hosted_->Attach([this] { context_.TryCancel(); });
    if (!epoch.ok()) return Refuse(epoch.status());
    epoch_ = *epoch;
    spdlog::info("{} attached by {} (epoch {})", hosted_->id(), context_.peer(), epoch_);
    hosted_->pool().SetBatchPolicy(policy_);
    WriteAttached();
    hosted_->pool().Redeliver(frame.attach().resume_after_seq());
    std::thread writer([this] { WriteBatches(); });
    status = ReadFrames();
    closing_.store(true);
    hosted_->pool().Interrupt();
    writer.join();
    hosted_->Detach(epoch_);
    if (release_) pools_.Release(hosted_);
    spdlog::info("{} detached (epoch {}): {}", hosted_->id(), epoch_,
                 status.ok() ? "done" : std::string(status.message()));
    if (!fatal_.ok()) return fatal_;
    return status;
  }

 private:
  absl::Status Refuse(const absl::Status& status) {
    WriteFatal(status);
    spdlog::info("session of {} refused: {}", context_.peer(), std::string(status.message()));
    return status;
  }

  absl::Status CheckAttach(const v1::Attach& attach) {
    auto found = attach.observe() ? pools_.Find(attach.pool_id())
                                  : pools_.Find(attach.pool_id(), attach.lease_token());
    if (!found.ok()) return found.status();
    hosted_ = *std::move(found);
    const uint64_t expected = hosted_->description().result_layout().hash();
    if (attach.layout_hash() != 0 && attach.layout_hash() != expected) {
      return MakeError(
          v1::ERROR_REASON_LAYOUT_MISMATCH,
          absl::StrCat("layout_hash: ", attach.layout_hash(), " where the pool's is ", expected),
          "layout_hash", absl::StrCat(attach.layout_hash()));
    }
    policy_.recv_batch = attach.recv_batch();
    if (attach.max_wait_us() > 0)
      policy_.max_wait = absl::Microseconds(std::min(attach.max_wait_us(), kMaxWaitMicroseconds));
    const uint64_t limit = pools_.limits().max_message_bytes;
    max_message_bytes_ =
        attach.max_message_bytes() == 0 ? limit : std::min(limit, attach.max_message_bytes());
    policy_.max_rows = hosted_->pool().MaxRows(max_message_bytes_);
    if (policy_.max_rows == 0) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat("max_message_bytes: ", max_message_bytes_,
                                    " does not hold one row of this pool"),
                       "max_message_bytes", absl::StrCat(max_message_bytes_));
    }
    return absl::OkStatus();
  }

  void WriteAttached() {
    v1::ServerFrame frame;
    v1::Attached& attached = *frame.mutable_attached();
    *attached.mutable_pool() = hosted_->description();
    attached.set_epoch(epoch_);
    attached.set_max_message_bytes(max_message_bytes_);
    hosted_->pool().DescribeLanes(attached);
    Write(frame);
  }

  void WriteFatal(const absl::Status& status) {
    v1::ServerFrame frame;
    *frame.mutable_fatal()->mutable_status() = ToProto(status);
    Write(frame);
  }

  bool Write(const v1::ServerFrame& frame) {
    MutexLock lock(write_mutex_);
    return stream_.Write(frame);
  }

  // The second thread: batches out, until the session is closing or must go.
  void WriteBatches() {
    v1::ServerFrame frame;
    bool told_draining = false;
    while (!closing_.load()) {
      switch (hosted_->EndOf(epoch_)) {
        case HostedPool::End::kNone:
          break;
        case HostedPool::End::kSuperseded:
          return SayGoodbye(
              MakeError(v1::ERROR_REASON_SUPERSEDED,
                        absl::StrCat("a newer stream attached to pool ", hosted_->id())));
        case HostedPool::End::kReleased:
          return SayGoodbye(MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                                      absl::StrCat("pool ", hosted_->id(), " was released")));
      }
      if (pools_.draining() && !told_draining) {
        v1::ServerFrame draining;
        draining.mutable_draining()->set_grace_ms(
            static_cast<uint64_t>(absl::ToInt64Milliseconds(drain_grace_)));
        Write(draining);
        told_draining = true;
      }
      const uint64_t seq = hosted_->NextSeq();
      const absl::Status status =
          hosted_->pool().Next(absl::InfiniteFuture(), seq, *frame.mutable_batch());
      if (!status.ok()) continue;  // interrupted: look around
      frame.set_seq(seq);
      hosted_->TookSeq();
      const bool written = Write(frame);
      hosted_->broadcast().Publish(frame);
      if (!written) return;
    }
  }

  // The client is told why, and is expected to half-close; a later session cuts the stream if it
  // does not.
  void SayGoodbye(const absl::Status& status) {
    superseded_.store(true);
    fatal_ = status;
    WriteFatal(status);
  }

  // The call's own thread: frames in, until the client is done or gone.
  absl::Status ReadFrames() {
    v1::ClientFrame frame;
    while (stream_.Read(&frame)) {
      if (superseded_.load() || hosted_->EndOf(epoch_) != HostedPool::End::kNone)
        continue;  // dropped unread
      if (frame.has_detach()) {
        release_ = frame.detach().release_pool();
        return absl::OkStatus();
      }
      const uint64_t seq = frame.seq();
      const absl::Status status = Submit(frame);
      if (status.ok()) continue;
      v1::ServerFrame reply;
      reply.mutable_rejected()->set_client_seq(seq);
      *reply.mutable_rejected()->mutable_status() = ToProto(status);
      Write(reply);
    }
    if (context_.IsCancelled()) return absl::CancelledError("the client is gone");
    return absl::OkStatus();
  }

  absl::Status Submit(v1::ClientFrame& frame) {
    const size_t bytes = frame.ByteSizeLong();
    if (bytes > pools_.limits().max_message_bytes) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat("the frame has ", bytes, " bytes where this server takes ",
                                    pools_.limits().max_message_bytes),
                       "frame", absl::StrCat(bytes));
    }
    switch (frame.frame_case()) {
      case v1::ClientFrame::kStep:
        return hosted_->pool().Step(std::move(*frame.mutable_step()));
      case v1::ClientFrame::kReset:
        return hosted_->pool().Reset(std::move(*frame.mutable_reset()));
      case v1::ClientFrame::kLoad:
        return hosted_->pool().Load(frame.load());
      default:
        return MakeError(v1::ERROR_REASON_BAD_FRAME,
                         "the frame is none of step, reset, load and detach", "frame");
    }
  }

  PoolTable& pools_;
  const absl::Duration drain_grace_;
  grpc::ServerContext& context_;
  Stream& stream_;
  std::shared_ptr<HostedPool> hosted_;
  uint64_t epoch_ = 0;
  BatchPolicy policy_;
  uint64_t max_message_bytes_ = 0;
  bool release_ = false;
  std::atomic<bool> closing_{false};
  std::atomic<bool> superseded_{false};
  absl::Status fatal_;  // written by the writer thread, read after it was joined
  Mutex write_mutex_;
};

}  // namespace

SessionService::SessionService(PoolTable& pools, absl::Duration drain_grace)
    : pools_(pools), drain_grace_(drain_grace) {}

grpc::Status SessionService::Connect(grpc::ServerContext* context, Stream* stream) {
  ++num_sessions_;
  const absl::Status status = Session(pools_, drain_grace_, *context, *stream).Run();
  --num_sessions_;
  return ToGrpc(status);
}

}  // namespace hivewire
