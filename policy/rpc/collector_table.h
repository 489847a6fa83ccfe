// The collectors of a run, between the service that hears them and the learner that waits for what
// they bring. It knows nothing of gRPC.
//
// Who calls whom: threads of the service call Describe, Register, Attach, Push, NextWeights and
// Detach, one stream each; the learner's thread calls WaitForSpec once, then Publish and Gather in
// turn, and Finish. A fragment waits in Push until Gather has taken or dropped it: at most one a
// collector, so memory is bounded.
//
// The run's lanes are given out in blocks. A collector whose stream ended keeps its block until it
// comes back or somebody else asks for lanes and no others are free.
//
// Thread-safe.
#ifndef HIVEWIRE_POLICY_RPC_COLLECTOR_TABLE_H_
#define HIVEWIRE_POLICY_RPC_COLLECTOR_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/training.pb.h"
#include "policy/action_space.h"
#include "policy/experience.h"
#include "policy/session.h"

namespace hivewire {

// What the last Gather took. Ages are in versions of the policy.
struct GatherStatistics {
  double mean_staleness = 0;
  uint64_t max_staleness = 0;
  int64_t dropped_fragments = 0;  // as too old, since the run began
  int collectors = 0;             // that brought something
};

class CollectorTable {
 public:
  using Stop = std::function<bool()>;

  // `frames`: of the run until now, where it is resumed; seeds and random numbers of lanes then
  // differ from those before.
  CollectorTable(const v1::LearnerConfig& config, uint64_t frames);

  // The service's side. Each returns UNAVAILABLE after Shutdown.
  v1::DescribeRunResponse Describe() const;
  // FAILED_PRECONDITION where the env is another one than that of the run, RESOURCE_EXHAUSTED where
  // so many lanes in a row are not free.
  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request);
  // A stream of fragments begins; the stream's number. An older one of the same collector ends
  // (ABORTED). NOT_FOUND for a collector that is not registered, here as below.
  absl::StatusOr<uint64_t> Attach(uint64_t collector_id);
  // It ended: until the next one, nobody waits for this collector.
  void Detach(uint64_t collector_id, uint64_t stream);
  // Returns once the fragment was taken or dropped, or `cancelled` says that nobody waits any more;
  // at once for one that was taken before. DATA_LOSS for a fragment that is not as it should be.
  absl::StatusOr<v1::PushFragmentsResponse> Push(uint64_t stream,
                                                 const v1::PushFragmentsRequest& request,
                                                 const Stop& cancelled);
  // The newest version after this one, once there is one. Null when the run is over.
  using Weights = std::shared_ptr<const v1::WatchWeightsResponse>;
  absl::StatusOr<Weights> NextWeights(uint64_t collector_id, uint64_t after_version,
                                      const Stop& cancelled);

  // The learner's side. CANCELLED once `stop` says so.
  // The env of the first collector that registers.
  absl::StatusOr<v1::EnvSpec> WaitForSpec(const Stop& stop);
  void Publish(v1::Policy policy);
  // As FragmentSource's.
  void DropUpTo(uint64_t version);
  // Synchronous: a fragment of each collector that is there, in the order of their lanes; the first
  // time, once all lanes are driven. Asynchronous: fragments in the order in which they came, until
  // they have as many lanes as the run, or the next one would have more.
  absl::StatusOr<std::vector<Experience>> Gather(const Stop& stop);
  GatherStatistics statistics() const;
  // How often a stream of fragments ended before the run did.
  int64_t losses() const;
  // The run is over: collectors are told to stop.
  void Finish();
  void Shutdown();

 private:
  struct Pending {
    uint64_t fragment_no = 0;
    uint64_t arrival = 0;
    Experience experience;
  };
  struct Collector {
    uint64_t id = 0;
    std::string name;
    int first_lane = 0;
    int num_lanes = 0;
    uint64_t stream = 0;  // 0: none
    absl::Time registered;
    bool fresh = true;  // none of its fragments was taken yet
    uint64_t answered = 0;
    bool answered_as_stale = false;
    std::optional<Pending> pending;
  };

  absl::StatusOr<Collector*> Find(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckSpec(const v1::EnvSpec& spec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the learner waits for it, and its lanes are its own.
  bool Present(const Collector& collector) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // First of `count` lanes in a row that may be given to a collector of this name.
  absl::StatusOr<int> FindLanes(const std::string& name, int count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int FreeLanes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Synchronous: whether nobody has to be waited for.
  bool AllHere() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Wakes all who wait; and waits for that, or until it is time to look.
  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitChange(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Version of its oldest step.
  static uint64_t Oldest(const Pending& pending);
  uint64_t Staleness(const Pending& pending) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(Collector& collector, bool stale) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Experience Take(Collector& collector) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fragments that wait, in the order in which they are taken; those that are too old are dropped.
  std::vector<Collector*> Waiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const v1::LearnerConfig config_;
  const std::string config_text_;
  const int num_lanes_;
  mutable Mutex mutex_;
  Condition changed_;
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Collector> collectors_ ABSL_GUARDED_BY(mutex_);
  // By lane: how often it was given out.
  std::vector<uint64_t> given_ ABSL_GUARDED_BY(mutex_);
  std::optional<v1::EnvSpec> spec_ ABSL_GUARDED_BY(mutex_);
  ExperienceShape shape_ ABSL_GUARDED_BY(mutex_);
  std::optional<ActionSpace> action_ ABSL_GUARDED_BY(mutex_);
  Weights weights_ ABSL_GUARDED_BY(mutex_);
  uint64_t drop_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_stream_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t next_arrival_ ABSL_GUARDED_BY(mutex_) = 1;
  bool complete_ ABSL_GUARDED_BY(mutex_) = false;  // all lanes were driven once
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t losses_ ABSL_GUARDED_BY(mutex_) = 0;
  GatherStatistics statistics_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RPC_COLLECTOR_TABLE_H_
