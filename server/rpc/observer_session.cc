#include "server/rpc/observer_session.h"

#include <atomic>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/mutex.h"

namespace hivewire {
namespace {

using Stream = grpc::ServerReaderWriter<v1::ServerFrame, v1::ClientFrame>;

class Observer {
 public:
  Observer(PoolTable& pools, HostedPool& hosted, absl::Duration drain_grace,
           uint64_t max_message_bytes, Stream& stream)
      : pools_(pools),
        hosted_(hosted),
        drain_grace_(drain_grace),
        max_message_bytes_(max_message_bytes),
        stream_(stream),
        listener_(hosted.broadcast().Listen()) {}

  absl::Status Run(grpc::ServerContext& context) {
    WriteAttached();
    std::thread writer([this] { WriteBatches(); });
    ReadFrames();
    closing_.store(true);
    listener_->Wake();
    writer.join();
    if (!fatal_.ok()) return fatal_;
    if (context.IsCancelled()) return absl::CancelledError("the client is gone");
    return absl::OkStatus();
  }

 private:
  bool Write(const v1::ServerFrame& frame) {
    MutexLock lock(write_mutex_);
    return stream_.Write(frame);
  }

  void WriteAttached() {
    v1::ServerFrame frame;
    v1::Attached& attached = *frame.mutable_attached();
    *attached.mutable_pool() = hosted_.description();
    attached.set_epoch(hosted_.epoch());
    attached.set_max_message_bytes(max_message_bytes_);
    hosted_.pool().DescribeLanes(attached);
    Write(frame);
  }

  void WriteBatches() {
    bool told_draining = false;
    while (!closing_.load()) {
      if (hosted_.released()) {
        fatal_ = MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                           absl::StrCat("pool ", hosted_.id(), " was released"));
        v1::ServerFrame frame;
        *frame.mutable_fatal()->mutable_status() = ToProto(fatal_);
        Write(frame);
        return;
      }
      if (pools_.draining() && !told_draining) {
        v1::ServerFrame frame;
        frame.mutable_draining()->set_grace_ms(
            static_cast<uint64_t>(absl::ToInt64Milliseconds(drain_grace_)));
        Write(frame);
        told_draining = true;
      }
      const std::shared_ptr<const v1::ServerFrame> frame = listener_->Next();
      if (frame == nullptr || frame->ByteSizeLong() > max_message_bytes_) continue;
      if (!Write(*frame)) return;
    }
  }

  void ReadFrames() {
    v1::ClientFrame frame;
    while (stream_.Read(&frame)) {
      if (frame.has_detach() && !frame.detach().release_pool()) return;
      v1::ServerFrame reply;
      reply.mutable_rejected()->set_client_seq(frame.seq());
      *reply.mutable_rejected()->mutable_status() =
          ToProto(MakeError(v1::ERROR_REASON_BAD_FRAME,
                            "an observer may only Detach; the pool is its owner's", "frame"));
      if (!Write(reply)) return;
    }
  }

  PoolTable& pools_;
  HostedPool& hosted_;
  const absl::Duration drain_grace_;
  const uint64_t max_message_bytes_;
  Stream& stream_;
  const std::shared_ptr<Broadcast::Listener> listener_;
  std::atomic<bool> closing_{false};
  absl::Status fatal_;  // written by the writer thread, read after it was joined
  Mutex write_mutex_;
};

}  // namespace

absl::Status Observe(PoolTable& pools, HostedPool& hosted, absl::Duration drain_grace,
                     uint64_t max_message_bytes, grpc::ServerContext& context, Stream& stream) {
  return Observer(pools, hosted, drain_grace, max_message_bytes, stream).Run(context);
}

}  // namespace hivewire
