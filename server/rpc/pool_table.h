// The pools of a server, by id: made on request, freed on release or when their lease runs out.
//
// Thread-safe. A thread of its own frees expired pools; the destructor joins it.
#ifndef HIVEWIRE_SERVER_RPC_POOL_TABLE_H_
#define HIVEWIRE_SERVER_RPC_POOL_TABLE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/pool/workers.h"
#include "server/rpc/hosted_pool.h"
#include "server/tasks/registry.h"

namespace hivewire {

struct PoolLimits {
  uint64_t max_lanes = 65536;  // over all pools
  uint64_t max_lanes_per_client = UINT64_MAX;
  uint32_t max_weight = 1000;
  uint64_t max_message_bytes = 64 << 20;
  absl::Duration default_lease_ttl = absl::Seconds(60);
  absl::Duration max_lease_ttl = absl::Hours(24);
  absl::Duration default_step_timeout = kDefaultStepTimeout;
  absl::Duration max_step_timeout = absl::Hours(24);
};

class PoolTable {
 public:
  // `registry` and `workers` outlive the table.
  PoolTable(const Registry& registry, Workers& workers, const PoolLimits& limits);
  ~PoolTable();
  PoolTable(const PoolTable&) = delete;
  PoolTable& operator=(const PoolTable&) = delete;

  // Operations of all pools made from now on go into `log`, which outlives the table; null for
  // none.
  void LogOperations(OperationLog* log) { operation_log_ = log; }

  absl::StatusOr<std::shared_ptr<HostedPool>> Create(const v1::CreatePoolRequest& request);
  // UNKNOWN_POOL for an id that is not there (any more).
  absl::StatusOr<std::shared_ptr<HostedPool>> Find(absl::string_view pool_id) const;
  // The same, and the token is checked.
  absl::StatusOr<std::shared_ptr<HostedPool>> Find(absl::string_view pool_id,
                                                   absl::string_view token) const;
  void Release(const std::shared_ptr<HostedPool>& pool);
  // Lets go of `pool` on a thread that may wait: if this was the last to hold it, it goes when none
  // of its lanes runs any more.
  void Bury(std::shared_ptr<HostedPool> pool);
  std::vector<std::shared_ptr<HostedPool>> List() const;

  const Registry& registry() const { return registry_; }
  const Workers& workers() const { return workers_; }
  const PoolLimits& limits() const { return limits_; }
  // Steps and so on of the pools that are gone.
  Pool::Statistics past_statistics() const;

  // No further pools; attached sessions are woken to tell their clients.
  void Drain();
  bool draining() const { return draining_.load(); }

 private:
  void Reap();
  absl::Status CheckLanes(const v1::CreatePoolRequest& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddLanes(const std::string& client, int64_t lanes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Registry& registry_;
  OperationLog* operation_log_ = nullptr;
  Workers& workers_;
  const PoolLimits limits_;

  mutable Mutex mutex_;
  Condition changed_;
  std::map<std::string, std::shared_ptr<HostedPool>, std::less<>> pools_ ABSL_GUARDED_BY(mutex_);
  struct Remembered {
    std::string pool_id;
    absl::Time until;
  };
  std::map<std::string, Remembered> idempotency_keys_ ABSL_GUARDED_BY(mutex_);
  uint64_t lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t, std::less<>> lanes_of_clients_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  Pool::Statistics past_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> draining_{false};  // set under mutex_; sessions ask at every batch
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<HostedPool>> buried_ ABSL_GUARDED_BY(mutex_);
  std::thread reaper_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_POOL_TABLE_H_
