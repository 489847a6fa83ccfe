#include "server/rpc/pool_table.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

constexpr absl::Duration kReapPeriod = absl::Milliseconds(500);
constexpr absl::Duration kIdempotencyWindow = absl::Hours(1);
// Of all lanes of a pool.
constexpr size_t kMaxRowBytes = size_t{16} << 30;

absl::StatusOr<std::string> NewToken() {
  char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes))) {
    return absl::InternalError("the operating system gave no random bytes for a lease token");
  }
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

absl::Status UnknownPool(absl::string_view pool_id) {
  return MakeError(
      v1::ERROR_REASON_UNKNOWN_POOL,
      absl::StrCat("pool_id: no pool \"", pool_id, "\" (released, expired, or never made)"),
      "pool_id", pool_id);
}

// A duration that a client asks for: 0 for the server's own.
absl::StatusOr<absl::Duration> MillisecondsOf(absl::string_view field, uint64_t asked,
                                              absl::Duration own, absl::Duration limit) {
  if (asked == 0) return own;
  const int64_t most = absl::ToInt64Milliseconds(limit);
  if (asked > static_cast<uint64_t>(most)) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat(field, ": ", asked, " is more than this server's ", most), field,
                     absl::StrCat(asked));
  }
  return absl::Milliseconds(asked);
}

void Add(const Pool::Statistics& from, Pool::Statistics& to) {
  to.steps += from.steps;
  to.resets += from.resets;
  to.episodes += from.episodes;
  to.faults += from.faults;
  to.batches += from.batches;
  to.busy_seconds += from.busy_seconds;
}

}  // namespace

PoolTable::PoolTable(const Registry& registry, Workers& workers, const PoolLimits& limits)
    : registry_(registry), workers_(workers), limits_(limits), reaper_([this] { Reap(); }) {}

PoolTable::~PoolTable() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  reaper_.join();
}

absl::StatusOr<std::shared_ptr<HostedPool>> PoolTable::Create(
    const v1::CreatePoolRequest& request) {
  const auto ttl = MillisecondsOf("lease_ttl_ms", request.lease_ttl_ms(), limits_.default_lease_ttl,
                                  limits_.max_lease_ttl);
  if (!ttl.ok()) return ttl.status();
  const auto step_timeout = MillisecondsOf("step_timeout_ms", request.step_timeout_ms(),
                                           limits_.default_step_timeout, limits_.max_step_timeout);
  if (!step_timeout.ok()) return step_timeout.status();
  const uint32_t weight = std::max<uint32_t>(request.weight(), 1);
  if (weight > limits_.max_weight) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat("weight: ", weight, " is not 0 (for 1) … ", limits_.max_weight),
                     "weight", absl::StrCat(weight));
  }
  std::string id;
  {
    MutexLock lock(mutex_);
    if (draining_) return MakeError(v1::ERROR_REASON_DRAINING, "this server is draining");
    if (!request.idempotency_key().empty()) {
      const auto known = idempotency_keys_.find(request.idempotency_key());
      if (known != idempotency_keys_.end()) {
        const auto pool = pools_.find(known->second.pool_id);
        if (pool != pools_.end()) return pool->second;
      }
    }
    const absl::Status status = CheckLanes(request);
    if (!status.ok()) return status;
    AddLanes(request.client_name(), request.num_envs());
    id = absl::StrCat("pool-", next_id_++);
  }
  // The lanes are counted above and made here, outside the lock.
  const auto make = [&]() -> absl::StatusOr<std::shared_ptr<HostedPool>> {
    auto task = registry_.Make(request.env_id(),
                               Options(request.options().begin(), request.options().end()));
    if (!task.ok()) return task.status();
    auto spec = PoolSpec::Make(*std::move(task), request);
    if (!spec.ok()) return spec.status();
    // Images make rows large, and every lane keeps its last one.
    if (spec->row_bytes() > kMaxRowBytes / std::max<size_t>(1, spec->num_lanes())) {
      return MakeError(
          v1::ERROR_REASON_LIMIT,
          absl::StrCat("num_envs: ", request.num_envs(), " rows of ", spec->row_bytes(),
                       " bytes are more than this server's ", kMaxRowBytes, " bytes a pool"),
          "num_envs", absl::StrCat(request.num_envs()));
    }
    v1::PoolDescription description = spec->description();
    description.set_pool_id(id);
    description.set_lease_ttl_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(*ttl)));
    auto token = NewToken();
    if (!token.ok()) return token.status();
    auto pool = Pool::Create(*std::move(spec), workers_, *step_timeout, weight);
    if (!pool.ok()) return pool.status();
    (*pool)->LogOperations(operation_log_, id);
    if ((*pool)->MaxRows(limits_.max_message_bytes) == 0) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat("env_id: one row of \"", request.env_id(),
                                    "\" is larger than this server's message limit of ",
                                    limits_.max_message_bytes, " bytes"),
                       "env_id", request.env_id());
    }
    return std::make_shared<HostedPool>(*std::move(pool), std::move(description), *std::move(token),
                                        request.client_name());
  };
  absl::StatusOr<std::shared_ptr<HostedPool>> hosted = make();
  MutexLock lock(mutex_);
  if (!hosted.ok()) {
    AddLanes(request.client_name(), -int64_t{request.num_envs()});
    return hosted.status();
  }
  pools_[id] = *hosted;
  if (!request.idempotency_key().empty()) {
    idempotency_keys_[request.idempotency_key()] = {id, absl::Now() + kIdempotencyWindow};
  }
  spdlog::info("{} made: {} x {} for \"{}\"", id, request.env_id(), request.num_envs(),
               request.client_name());
  return hosted;
}

absl::Status PoolTable::CheckLanes(const v1::CreatePoolRequest& request) const {
  const auto check = [&](uint64_t has, uint64_t most, absl::string_view who) {
    if (request.num_envs() <= most - std::min(has, most)) return absl::OkStatus();
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat("num_envs: ", request.num_envs(), " lanes where ", who, " has ",
                                  has, " of at most ", most),
                     "num_envs", absl::StrCat(request.num_envs()));
  };
  const absl::Status status = check(lanes_, limits_.max_lanes, "this server");
  if (!status.ok()) return status;
  const auto client = lanes_of_clients_.find(request.client_name());
  return check(client == lanes_of_clients_.end() ? 0 : client->second, limits_.max_lanes_per_client,
               absl::StrCat("client \"", request.client_name(), "\""));
}

void PoolTable::AddLanes(const std::string& client, int64_t lanes) {
  lanes_ += static_cast<uint64_t>(lanes);
  const auto entry = lanes_of_clients_.try_emplace(client, 0).first;
  entry->second += static_cast<uint64_t>(lanes);
  if (entry->second == 0) lanes_of_clients_.erase(entry);
}

absl::StatusOr<std::shared_ptr<HostedPool>> PoolTable::Find(absl::string_view pool_id) const {
  MutexLock lock(mutex_);
  const auto pool = pools_.find(std::string(pool_id));
  if (pool == pools_.end()) return UnknownPool(pool_id);
  return pool->second;
}

absl::StatusOr<std::shared_ptr<HostedPool>> PoolTable::Find(absl::string_view pool_id,
                                                            absl::string_view token) const {
  auto pool = Find(pool_id);
  if (!pool.ok()) return pool.status();
  const absl::Status status = (*pool)->CheckToken(token);
  if (!status.ok()) return status;
  return pool;
}

void PoolTable::Release(const std::shared_ptr<HostedPool>& pool) {
  pool->Release();
  MutexLock lock(mutex_);
  if (pools_.erase(pool->id()) == 0) return;
  AddLanes(pool->client_name(), -int64_t{pool->description().num_envs()});
  Add(pool->pool().statistics(), past_);
  spdlog::info("{} freed after {} steps", pool->id(), pool->pool().statistics().steps);
}

void PoolTable::Bury(std::shared_ptr<HostedPool> pool) {
  MutexLock lock(mutex_);
  buried_.push_back(std::move(pool));
  changed_.NotifyAll();
}

std::vector<std::shared_ptr<HostedPool>> PoolTable::List() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<HostedPool>> pools;
  for (const auto& [id, pool] : pools_) pools.push_back(pool);
  return pools;
}

Pool::Statistics PoolTable::past_statistics() const {
  MutexLock lock(mutex_);
  return past_;
}

void PoolTable::Drain() {
  {
    MutexLock lock(mutex_);
    draining_ = true;
  }
  for (const std::shared_ptr<HostedPool>& pool : List()) pool->Wake();
}

void PoolTable::Reap() {
  std::vector<std::shared_ptr<HostedPool>> pools;  // its memory is used again
  while (true) {
    std::vector<std::shared_ptr<HostedPool>> buried;
    pools.clear();
    {
      MutexLock lock(mutex_);
      changed_.WaitUntil(lock, absl::Now() + kReapPeriod, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return stopping_ || !buried_.empty();
      });
      if (stopping_) return;
      buried.swap(buried_);
      const absl::Time now = absl::Now();
      for (auto key = idempotency_keys_.begin(); key != idempotency_keys_.end();) {
        key = key->second.until < now ? idempotency_keys_.erase(key) : std::next(key);
      }
      for (const auto& [id, pool] : pools_) pools.push_back(pool);
    }
    for (const std::shared_ptr<HostedPool>& pool : pools) {
      if (!pool->Expired(absl::Now())) continue;
      spdlog::info("{}: its lease ran out", pool->id());
      Release(pool);
    }
  }
}

}  // namespace hivewire
