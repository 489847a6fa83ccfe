// A session that watches a pool without owning it (Attach.observe).
#ifndef HIVEWIRE_SERVER_RPC_OBSERVER_SESSION_H_
#define HIVEWIRE_SERVER_RPC_OBSERVER_SESSION_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hivewire/v1/session.grpc.pb.h"
#include "server/rpc/hosted_pool.h"
#include "server/rpc/pool_table.h"

namespace hivewire {

// Sends Attached and then the owner's batches, until the client leaves or the pool is released.
// Frames other than Detach are rejected. `max_message_bytes`: larger batches are left out.
absl::Status Observe(PoolTable& pools, HostedPool& hosted, absl::Duration drain_grace,
                     uint64_t max_message_bytes, grpc::ServerContext& context,
                     grpc::ServerReaderWriter<v1::ServerFrame, v1::ClientFrame>& stream);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_OBSERVER_SESSION_H_
