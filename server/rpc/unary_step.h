// Reset, Step and LoadState as single calls: one operation on a pool, and its results as Rows.
#ifndef HIVEWIRE_SERVER_RPC_UNARY_STEP_H_
#define HIVEWIRE_SERVER_RPC_UNARY_STEP_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hivewire/v1/control.pb.h"
#include "server/rpc/hosted_pool.h"

namespace hivewire {

// Each holds the pool (LEASE_HELD while a session is attached) until the results are there.
// Operation numbers that are left out are filled in. DEADLINE_EXCEEDED at `deadline`: the operation
// goes on, and its result is kept.
absl::Status UnaryReset(HostedPool& hosted, const v1::ResetRequest& request, absl::Time deadline,
                        v1::Rows& rows);
absl::Status UnaryStep(HostedPool& hosted, const v1::StepRequest& request, absl::Time deadline,
                       v1::Rows& rows);
absl::Status UnaryLoad(HostedPool& hosted, const v1::LoadStateRequest& request, absl::Time deadline,
                       v1::Rows& rows);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_UNARY_STEP_H_
