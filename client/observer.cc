#include "client/observer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "client/grpc_channel.h"
#include "client/session_stream.h"

namespace hivewire {

struct Observer::Impl {
  explicit Impl(GrpcChannel made) : channel(std::move(made)) {}

  const GrpcChannel channel;
  v1::Attached attached;
  std::unique_ptr<SessionStream> stream;
};

Observer::Observer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Observer::~Observer() = default;

absl::StatusOr<std::unique_ptr<Observer>> Observer::Attach(const std::string& address,
                                                           const ConnectionOptions& connection,
                                                           const std::string& pool_id) {
  auto channel = GrpcChannel::Make(address, connection);
  if (!channel.ok()) return channel.status();
  const absl::Status connected = channel->WaitUntilConnected();
  if (!connected.ok()) return connected;
  auto impl = std::make_unique<Impl>(*std::move(channel));
  v1::Attach attach;
  attach.set_pool_id(pool_id);
  attach.set_observe(true);
  auto stream = SessionStream::Attach(impl->channel, attach, impl->attached);
  if (!stream.ok()) return stream.status();
  impl->stream = *std::move(stream);
  return std::unique_ptr<Observer>(new Observer(std::move(impl)));
}

const v1::PoolDescription& Observer::pool() const { return impl_->attached.pool(); }

absl::Status Observer::Next(v1::ServerFrame& frame) {
  while (impl_->stream->Next(absl::InfiniteFuture(), frame) == SessionStream::Event::kFrame) {
    if (frame.has_batch()) return absl::OkStatus();
    if (frame.has_fatal())
      return Annotate(FromProto(frame.fatal().status()), impl_->channel.address());
  }
  const absl::Status status = impl_->stream->Finish();
  return status.ok() ? absl::UnavailableError(
                           absl::StrCat(impl_->channel.address(), ": the server ended the session"))
                     : status;
}

void Observer::Cancel() { impl_->stream->Cancel(); }

}  // namespace hivewire
