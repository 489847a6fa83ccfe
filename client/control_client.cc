#include "client/control_client.h"

#include <utility>

#include "absl/time/clock.h"
#include "client/control_client_impl.h"

namespace hivewire {
namespace {

// Longest that a call may take: compiling a large model, stepping many lanes.
constexpr absl::Duration kCallTimeout = absl::Seconds(120);

constexpr absl::Duration kReleaseTimeout = absl::Seconds(5);

// `method` is a member of the stub: Response Method(context, request, response).
template <typename Response, typename Request, typename Method>
absl::StatusOr<Response> Call(const GrpcChannel& channel, v1::EnvControl::Stub& stub, Method method,
                              const Request& request, absl::Duration timeout = kCallTimeout) {
  grpc::ClientContext context;
  channel.Prepare(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return channel.ToStatus(status);
  return response;
}

}  // namespace

ControlClient::ControlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlClient::~ControlClient() = default;

absl::StatusOr<std::unique_ptr<ControlClient>> ControlClient::Connect(
    const std::string& address, const ConnectionOptions& connection) {
  absl::StatusOr<GrpcChannel> channel = GrpcChannel::Make(address, connection);
  if (!channel.ok()) return channel.status();
  const absl::Status connected = channel->WaitUntilConnected();
  if (!connected.ok()) return connected;
  return std::unique_ptr<ControlClient>(
      new ControlClient(std::make_unique<Impl>(*std::move(channel))));
}

absl::StatusOr<v1::GetServerInfoResponse> ControlClient::GetServerInfo() {
  return Call<v1::GetServerInfoResponse>(impl_->channel, *impl_->stub,
                                         &v1::EnvControl::Stub::GetServerInfo,
                                         v1::GetServerInfoRequest());
}

absl::StatusOr<v1::ListEnvsResponse> ControlClient::ListEnvs(const v1::ListEnvsRequest& request) {
  return Call<v1::ListEnvsResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::ListEnvs,
                                    request);
}

absl::StatusOr<v1::DescribeEnvResponse> ControlClient::DescribeEnv(
    const v1::DescribeEnvRequest& request) {
  return Call<v1::DescribeEnvResponse>(impl_->channel, *impl_->stub,
                                       &v1::EnvControl::Stub::DescribeEnv, request);
}

absl::StatusOr<v1::CreatePoolResponse> ControlClient::CreatePool(
    const v1::CreatePoolRequest& request) {
  return Call<v1::CreatePoolResponse>(impl_->channel, *impl_->stub,
                                      &v1::EnvControl::Stub::CreatePool, request);
}

absl::StatusOr<v1::ReleasePoolResponse> ControlClient::ReleasePool(
    const v1::ReleasePoolRequest& request) {
  return Call<v1::ReleasePoolResponse>(
      impl_->channel, *impl_->stub, &v1::EnvControl::Stub::ReleasePool, request, kReleaseTimeout);
}

absl::StatusOr<v1::ListPoolsResponse> ControlClient::ListPools() {
  return Call<v1::ListPoolsResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::ListPools,
                                     v1::ListPoolsRequest());
}

absl::StatusOr<v1::ResetResponse> ControlClient::Reset(const v1::ResetRequest& request) {
  return Call<v1::ResetResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::Reset,
                                 request);
}

absl::StatusOr<v1::StepResponse> ControlClient::Step(const v1::StepRequest& request) {
  return Call<v1::StepResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::Step, request);
}

absl::StatusOr<v1::SaveStateResponse> ControlClient::SaveState(
    const v1::SaveStateRequest& request) {
  return Call<v1::SaveStateResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::SaveState,
                                     request);
}

absl::StatusOr<v1::LoadStateResponse> ControlClient::LoadState(
    const v1::LoadStateRequest& request) {
  return Call<v1::LoadStateResponse>(impl_->channel, *impl_->stub, &v1::EnvControl::Stub::LoadState,
                                     request);
}

absl::StatusOr<v1::GetPropertiesResponse> ControlClient::GetProperties(
    const v1::GetPropertiesRequest& request) {
  return Call<v1::GetPropertiesResponse>(impl_->channel, *impl_->stub,
                                         &v1::EnvControl::Stub::GetProperties, request);
}

absl::StatusOr<v1::SetPropertiesResponse> ControlClient::SetProperties(
    const v1::SetPropertiesRequest& request) {
  return Call<v1::SetPropertiesResponse>(impl_->channel, *impl_->stub,
                                         &v1::EnvControl::Stub::SetProperties, request);
}

absl::StatusOr<v1::RenderResponse> ControlClient::Render(const v1::RenderRequest& request) {
  grpc::ClientContext context;
  impl_->channel.Prepare(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
  const auto reader = impl_->stub->Render(&context, request);
  v1::RenderResponse first;
  const bool received = reader->Read(&first);
  v1::RenderResponse rest;
  while (reader->Read(&rest)) {
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return impl_->channel.ToStatus(status);
  if (!received)
    return absl::InternalError(impl_->channel.address() + ": the server sent no image");
  return first;
}

absl::StatusOr<v1::GetStatisticsResponse> ControlClient::GetStatistics(
    const v1::GetStatisticsRequest& request) {
  return Call<v1::GetStatisticsResponse>(impl_->channel, *impl_->stub,
                                         &v1::EnvControl::Stub::GetStatistics, request);
}

}  // namespace hivewire
