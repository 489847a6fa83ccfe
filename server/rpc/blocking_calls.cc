#include "server/rpc/blocking_calls.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "server/rpc/queued_call.h"

namespace hivewire {

class BlockingCalls::Call final
    : public QueuedCall<grpc::ByteBuffer, grpc::ByteBuffer, grpc::GenericServerContext>,
      public BlockingCall {
 public:
  Call(BlockingCalls& calls, CallQueue& queue) : QueuedCall(queue), calls_(calls) {}

  bool Read(google::protobuf::Message& message) override {
    grpc::ByteBuffer bytes;
    if (!Wait([&] { StartRead(&bytes); })) return false;
    const grpc::Status status =
        grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&bytes,
                                                                                     &message);
    if (status.ok()) return true;
    error_ = grpc::Status(
        grpc::StatusCode::INVALID_ARGUMENT,
        absl::StrCat(server_context()->method(), ": the bytes are no ", message.GetTypeName()));
    return false;
  }

  bool Write(const google::protobuf::Message& message) override {
    grpc::ByteBuffer bytes;
    bool own = false;
    const grpc::Status status =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &bytes,
                                                                                   &own);
    return status.ok() && Wait([&] { StartWrite(bytes); });
  }

  bool cancelled() const override { return cancelled_.load(); }
  void Cancel() override { server_context()->TryCancel(); }
  const grpc::ServerContext& context() override { return *server_context(); }

 private:
  void OnAccepted() override {
    calls_.Serve(queue());
    calls_.threads_.Run([this] { Handle(); });
  }
  void OnReadDone(bool ok) override { Happened(ok); }
  void OnWriteDone(bool ok) override { Happened(ok); }
  void OnCancel() override { cancelled_.store(true); }
  void OnGone() override { delete this; }

  void Handle() {
    const std::string& method = server_context()->method();
    const auto handler = calls_.handlers_.find(method);
    grpc::Status status(grpc::StatusCode::UNIMPLEMENTED,
                        absl::StrCat(method, ": this server has no such method"));
    if (handler != calls_.handlers_.end()) status = handler->second(*this);
    Finish(error_.ok() ? status : error_);
  }

  template <typename Start>
  bool Wait(Start start) {
    {
      MutexLock lock(mutex_);
      happened_ = false;
    }
    start();
    MutexLock lock(mutex_);
    changed_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return happened_; });
    return ok_;
  }

  void Happened(bool ok) {
    MutexLock lock(mutex_);
    happened_ = true;
    ok_ = ok;
    changed_.NotifyOne();
  }

  BlockingCalls& calls_;
  grpc::Status error_;  // the handler's thread's
  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  Condition changed_;
  bool happened_ ABSL_GUARDED_BY(mutex_) = false;
  bool ok_ ABSL_GUARDED_BY(mutex_) = false;
};

void BlockingCalls::Add(const std::string& service, const std::string& method, Handler handler) {
  handlers_.emplace(absl::StrCat("/", service, "/", method), std::move(handler));
}

std::vector<std::string> BlockingCalls::services() const {
  std::vector<std::string> services;
  for (const auto& [method, handler] : handlers_) {
    std::string service = method.substr(1, method.rfind('/') - 1);
    if (services.empty() || services.back() != service) services.push_back(std::move(service));
  }
  return services;
}

void BlockingCalls::Serve(CallQueue& queue) {
  auto* const next = new Call(*this, queue);  // its own, until it is gone
  service_.RequestCall(next->server_context(), next->stream(), queue.get(), queue.get(),
                       next->accepted());
}

grpc::Status BlockingCalls::NoRequest() {
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call ended before its request");
}

}  // namespace hivewire
