// A rollout: the pool's workers run a policy on its lanes by themselves and fill fragments of T
// steps, which the caller takes.
//
// Who calls whom: Start borrows the pool's lanes, divides them into crews (crew.h) and posts these
// to the workers. A crew that has run puts what it got into its fragment and is posted again, until
// it is `max_in_flight` whole fragments ahead of the caller; then it waits for Release. Crews wait
// neither for each other nor for the caller otherwise. One thread calls Next and Release.
//
// What comes is a function of the lanes' states, the policies and the seed, whatever the number of
// workers; only the step at which a new policy takes over depends on time.
//
// Once it is under way nothing is allocated.
//
// The destructor stops the crews after the step that each is in, and gives the lanes back.
#ifndef HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_H_
#define HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/ring_queue.h"
#include "hivewire/v1/rollout.pb.h"
#include "server/pool/pool.h"
#include "server/pool/workers.h"
#include "server/rollout/crew.h"
#include "server/rollout/fragment_buffer.h"
#include "server/rollout/policy_slot.h"

namespace hivewire {

struct RolloutLimits {
  uint64_t max_message_bytes = 64 << 20;
  // Of all fragments that are being filled or wait to be taken.
  uint64_t max_buffer_bytes = 1 << 30;
};

class Rollout {
 public:
  // `request`: all but the lease. BAD_OPTION, LIMIT or NEEDS_POLICY name the field and what is
  // accepted; LANE_BUSY where a lane still runs at `deadline`. `pool` outlives the rollout.
  static absl::StatusOr<std::unique_ptr<Rollout>> Start(Pool& pool,
                                                        std::shared_ptr<PolicySlot> slot,
                                                        const v1::CollectRequest& request,
                                                        const RolloutLimits& limits,
                                                        absl::Time deadline);
  ~Rollout();
  Rollout(const Rollout&) = delete;
  Rollout& operator=(const Rollout&) = delete;

  // The next fragment, which stays until Release; null where none is complete by `deadline`.
  // OUT_OF_RANGE after the last one; STEP_TIMEOUT where the server has no worker left.
  absl::StatusOr<const v1::CollectResponse*> Next(absl::Time deadline);
  // The fragment was consumed.
  void Release();

  // Makes the last fragment that any crew has begun the last of all. Once Next has given every
  // lane's (and says OUT_OF_RANGE), all lanes stand at its end. False where they would have ended
  // there anyway.
  bool Conclude();

 private:
  class CrewJob;
  // Lanes whose fragments make up one message.
  struct Part {
    std::vector<std::unique_ptr<FragmentBuffer>> buffers;  // fragment f is in f modulo their number
    std::vector<size_t> unfilled;                          // by buffer: crews that are not done
    uint64_t released = 0;                                 // fragments
    std::vector<std::shared_ptr<CrewJob>> crews;
  };
  struct Filled {
    size_t part = 0;
    size_t buffer = 0;
  };

  Rollout(std::unique_ptr<Pool::Loan> loan, std::shared_ptr<PolicySlot> slot,
          uint64_t max_fragments);

  void MakeParts(size_t lanes_a_part, size_t buffers);
  void Begin();
  // Takes away what `crew` has staged.
  void Take(Part& part, Crew& crew);
  // Whether the crew may take another step; where it may, its fragment has begun.
  bool MayRun(const Part& part, const Crew& crew) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The crew of `job` has stopped running: posts it again, or lets it wait.
  void GoOn(const std::shared_ptr<CrewJob>& job);
  void GiveUp(CrewJob& job, const absl::Status& status);

  const std::unique_ptr<Pool::Loan> loan_;
  const std::shared_ptr<PolicySlot> slot_;
  std::shared_ptr<CrewSetting> setting_;

  Mutex mutex_;
  Condition changed_;
  std::vector<Part> parts_;
  RingQueue<Filled> filled_ ABSL_GUARDED_BY(mutex_);
  // Fragments of a part: that are to come (0 for no end), and that some crew has begun.
  uint64_t max_fragments_ ABSL_GUARDED_BY(mutex_);
  uint64_t begun_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // fragments
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;  // crews
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<CrewJob>> woken_;  // within Release

  Workers::Tenant tenant_;  // last: its destructor waits for what runs
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_ROLLOUT_H_
