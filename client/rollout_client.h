// A pool whose policy runs on the server: policies go there, fragments of experience come back
// (rollout.proto). No step waits for the network.
//
// Who calls whom:
//   1. Create makes a pool; Reset, or LoadState, starts its lanes.
//   2. Publish sends a policy, and returns when it is in force.
//   3. Collect asks for fragments, Next waits for each. With `max_fragments` the lanes stop there,
//      and the next Collect goes on where they stand. Without, they run until Cancel; a policy that
//      is published meanwhile takes over between two steps.
// A learner that pauses for its updates does 2 and 3 in turn; one that does not publishes while it
// collects, and finds in each fragment which version made each step.
//
// A broken connection is mended without a word. Publish is sent again. A collection is asked for
// again, for as many fragments as are missing of the lane that lacks most; those that were on their
// way are lost, and what comes from then on says so (Fragment::after_gap). Where the server is not
// back within reconnect_timeout the call fails with UNAVAILABLE; where it is back without the pool,
// with NOT_FOUND (see PoolsAreGone).
//
// When the server drains, the collection goes on elsewhere: once all lanes have come to the end of
// the same fragment, they move to the first other server that takes them, with the policy that was
// published last, and what follows is what would have followed here, bit for bit. Where there is no
// other server the collection ends with DRAINING (PoolsAreGone).
//
// A thread of its own reads while a collection runs, at most max_in_flight fragments ahead of Next;
// beyond that the server waits. Another one keeps the lease. Publish, Next and Cancel may be called
// from different threads, each from one at a time; everything else only between collections.
#ifndef HIVEWIRE_CLIENT_ROLLOUT_CLIENT_H_
#define HIVEWIRE_CLIENT_ROLLOUT_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/connection.h"
#include "client/fragment.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/policy.pb.h"

namespace hivewire {

struct CollectOptions {
  // Steps of a fragment.
  uint32_t fragment_length = 128;
  // Of each lane (a fragment has all lanes, unless no message can be so large); 0 for no end.
  uint64_t max_fragments = 0;
  // The most likely action in place of a sample.
  bool deterministic = false;
  // Of the policy's randomness; the same seed, policy and lanes give the same steps.
  uint64_t policy_seed = 0;
  uint32_t max_in_flight = 2;
  // Most bytes of one fragment; 0 for the server's own limit.
  uint64_t max_message_bytes = 0;
};

class RolloutClient {
 public:
  // Makes a pool as `request` asks. NOT_SUPPORTED (UNIMPLEMENTED) where the server does not offer
  // rollouts. `elsewhere`: where it may move to.
  static absl::StatusOr<std::unique_ptr<RolloutClient>> Create(
      const std::string& address, const ConnectionOptions& connection,
      const v1::CreatePoolRequest& request, const std::vector<std::string>& elsewhere = {});
  // Cancels, and releases the pool.
  ~RolloutClient();
  RolloutClient(const RolloutClient&) = delete;
  RolloutClient& operator=(const RolloutClient&) = delete;

  // As it was made; after a move its id is another.
  const v1::PoolDescription& pool() const;

  // Starts an episode in each lane, by its seed. The rows are by the pool's result layout.
  absl::StatusOr<v1::Rows> Reset(absl::Span<const uint64_t> seeds);
  // Snapshots of all lanes, and back.
  absl::StatusOr<std::vector<std::string>> SaveState();
  absl::StatusOr<v1::Rows> LoadState(const std::vector<std::string>& snapshots);

  // The version that is in force then: the policy's own. INVALID_ARGUMENT names what of the policy
  // does not fit the pool, RESOURCE_EXHAUSTED the server's limit.
  absl::StatusOr<uint64_t> Publish(const v1::Policy& policy);

  // Ends the collection before it, if one runs.
  void Collect(const CollectOptions& options);
  // The next fragment. OUT_OF_RANGE after the last; DEADLINE_EXCEEDED while none has come, and Next
  // may be called again; CANCELLED after Cancel; any other error ends the collection.
  absl::StatusOr<Fragment> Next(absl::Time deadline);
  // Breaks the collection off; what has come and was not taken is dropped.
  void Cancel();
  // Cancels, and gives the pool up: a server that drains need not wait for it. The pool is gone
  // then for every other call.
  void Release();

 private:
  struct Impl;

  explicit RolloutClient(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_ROLLOUT_CLIENT_H_
