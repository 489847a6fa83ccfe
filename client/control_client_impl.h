// The gRPC inside of ControlClient; for the client's transport files alone.
#ifndef HIVEWIRE_CLIENT_CONTROL_CLIENT_IMPL_H_
#define HIVEWIRE_CLIENT_CONTROL_CLIENT_IMPL_H_

#include <memory>
#include <utility>

#include "client/control_client.h"
#include "client/grpc_channel.h"
#include "hivewire/v1/control.grpc.pb.h"

namespace hivewire {

struct ControlClient::Impl {
  explicit Impl(GrpcChannel made)
      : channel(std::move(made)), stub(v1::EnvControl::NewStub(channel.channel())) {}

  GrpcChannel channel;
  std::unique_ptr<v1::EnvControl::Stub> stub;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONTROL_CLIENT_IMPL_H_
