// The Training service over a CollectorTable: a stream's thread waits there, and looks now and then
// whether its collector is gone.
//
// Thread-safe.
#ifndef HIVEWIRE_POLICY_RPC_TRAINING_SERVICE_H_
#define HIVEWIRE_POLICY_RPC_TRAINING_SERVICE_H_

#include "hivewire/v1/training.grpc.pb.h"
#include "policy/rpc/collector_table.h"

namespace hivewire {

class TrainingService final : public v1::Training::Service {
 public:
  // `table` outlives the service.
  explicit TrainingService(CollectorTable& table) : table_(table) {}

  grpc::Status DescribeRun(grpc::ServerContext* context, const v1::DescribeRunRequest* request,
                           v1::DescribeRunResponse* response) override;
  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override;
  grpc::Status PushFragments(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::PushFragmentsResponse,
                                                      v1::PushFragmentsRequest>* stream) override;
  grpc::Status WatchWeights(grpc::ServerContext* context, const v1::WatchWeightsRequest* request,
                            grpc::ServerWriter<v1::WatchWeightsResponse>* writer) override;

 private:
  CollectorTable& table_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RPC_TRAINING_SERVICE_H_
