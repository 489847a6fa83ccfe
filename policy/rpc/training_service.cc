#include "policy/rpc/training_service.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "server/rpc/status.h"

namespace hivewire {

grpc::Status TrainingService::DescribeRun(grpc::ServerContext*, const v1::DescribeRunRequest*,
                                          v1::DescribeRunResponse* response) {
  *response = table_.Describe();
  return grpc::Status::OK;
}

grpc::Status TrainingService::Register(grpc::ServerContext*, const v1::RegisterRequest* request,
                                       v1::RegisterResponse* response) {
  absl::StatusOr<v1::RegisterResponse> registered = table_.Register(*request);
  if (!registered.ok()) return ToGrpc(registered.status());
  *response = *std::move(registered);
  return grpc::Status::OK;
}

grpc::Status TrainingService::PushFragments(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::PushFragmentsResponse, v1::PushFragmentsRequest>* stream) {
  const auto cancelled = [context] { return context->IsCancelled(); };
  // The first message says whose stream this is; one without a fragment does just that.
  uint64_t collector_id = 0, number = 0;
  absl::Status status;
  v1::PushFragmentsRequest request;
  while (status.ok() && stream->Read(&request)) {
    if (number == 0) {
      collector_id = request.collector_id();
      const absl::StatusOr<uint64_t> attached = table_.Attach(collector_id);
      status = attached.status();
      if (!status.ok()) break;
      number = *attached;
    }
    if (!request.has_fragment()) continue;
    request.set_collector_id(collector_id);
    const absl::StatusOr<v1::PushFragmentsResponse> response =
        table_.Push(number, request, cancelled);
    status = response.status();
    if (status.ok() && !stream->Write(*response)) break;
  }
  if (number != 0) table_.Detach(collector_id, number);
  return ToGrpc(status);
}

grpc::Status TrainingService::WatchWeights(grpc::ServerContext* context,
                                           const v1::WatchWeightsRequest* request,
                                           grpc::ServerWriter<v1::WatchWeightsResponse>* writer) {
  uint64_t version = request->after_version();
  while (true) {
    const absl::StatusOr<CollectorTable::Weights> weights = table_.NextWeights(
        request->collector_id(), version, [context] { return context->IsCancelled(); });
    if (!weights.ok()) return ToGrpc(weights.status());
    if (*weights == nullptr || !writer->Write(**weights)) return grpc::Status::OK;
    version = (*weights)->version();
  }
}

}  // namespace hivewire
