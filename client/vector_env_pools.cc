// Where a VectorEnv's pools come from, how they are found again, and how they move.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "client/vector_env.h"
#include "client/vector_env_shard.h"

namespace hivewire {
namespace {

constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(100);

// Puts `snapshots` into the new pool of `carrier` and waits until all its lanes stand there.
absl::Status LoadAll(Carrier& carrier, const std::vector<std::string>& snapshots,
                     absl::Time deadline) {
  std::vector<uint32_t> lanes(snapshots.size());
  for (uint32_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] = lane;
  const auto sent = carrier.SendLoad(lanes, snapshots);
  if (!sent.ok()) return sent.status();
  for (size_t loaded = 0; loaded < lanes.size();) {
    const auto answer = carrier.Receive(deadline);
    if (!answer.ok()) return answer.status();
    if (answer->batch == nullptr) return answer->refusal;
    loaded += static_cast<size_t>(answer->batch->env_ids_size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSamePool(const v1::PoolDescription& first, const std::string& first_address,
                           const v1::PoolDescription& other, const std::string& address) {
  if (first.result_layout().hash() == other.result_layout().hash() &&
      first.spec().engine() == other.spec().engine()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(address, ": its ", other.spec().id(), " (engine ", other.spec().engine(),
                   ") differs from that of ", first_address, " (engine ", first.spec().engine(),
                   "); servers that step one VectorEnv must agree on engine, edition and leaves"));
}

v1::CreatePoolRequest PoolRequest(const VectorEnvOptions& options, uint32_t num_lanes) {
  v1::CreatePoolRequest request;
  request.set_env_id(options.env_id);
  request.mutable_options()->insert(options.env_options.begin(), options.env_options.end());
  request.set_num_envs(num_lanes);
  request.set_autoreset_mode(options.autoreset_mode);
  request.set_observation_dtype(options.observation_dtype);
  request.set_action_dtype(options.action_dtype);
  request.mutable_observation_leaves()->Assign(options.observation_leaves.begin(),
                                               options.observation_leaves.end());
  request.set_no_info(!options.with_info);
  request.set_max_episode_steps(options.max_episode_steps);
  request.set_client_name(absl::StrCat("pid ", getpid()));
  request.set_lease_ttl_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(options.lease_ttl)));
  return request;
}

bool PoolsAreGone(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  return reason == v1::ERROR_REASON_UNKNOWN_POOL || reason == v1::ERROR_REASON_DRAINING;
}

VectorEnv::VectorEnv() = default;
VectorEnv::~VectorEnv() = default;

absl::StatusOr<std::unique_ptr<VectorEnv>> VectorEnv::Make(const VectorEnvOptions& options) {
  return Make(options, GrpcCarriers());
}

absl::StatusOr<std::unique_ptr<VectorEnv>> VectorEnv::Make(const VectorEnvOptions& options,
                                                           const CarrierFactory& factory) {
  const auto addresses = ParseAddresses(options.server);
  if (!addresses.ok()) return addresses.status();
  const int num_shards = static_cast<int>(addresses->size());
  if (options.num_envs < num_shards) {
    return absl::InvalidArgumentError(absl::StrCat(
        "num_envs: ", options.num_envs, " lanes cannot be spread over ", num_shards, " servers"));
  }
  std::unique_ptr<VectorEnv> env(new VectorEnv);
  absl::Status status = env->Begin(options, factory, *addresses);
  for (int k = 0; k < num_shards && status.ok(); ++k) {
    auto shard = std::make_unique<Shard>();
    shard->address = (*addresses)[static_cast<size_t>(k)];
    shard->request =
        PoolRequest(options, static_cast<uint32_t>(options.num_envs / num_shards +
                                                   (k < options.num_envs % num_shards ? 1 : 0)));
    auto carrier = factory(shard->address, options.connection, shard->request);
    if (!carrier.ok()) return carrier.status();
    shard->carrier = *std::move(carrier);
    status = env->Add(std::move(shard));
  }
  if (!status.ok()) return status;
  return env;
}

absl::StatusOr<std::unique_ptr<VectorEnv>> VectorEnv::Resume(const v1::SessionTicket& ticket,
                                                             const VectorEnvOptions& options,
                                                             StepResult& result) {
  if (ticket.pools().empty()) return absl::InvalidArgumentError("the ticket names no pool");
  std::vector<std::string> addresses;
  for (const v1::PoolTicket& pool : ticket.pools()) addresses.push_back(pool.address());
  std::unique_ptr<VectorEnv> env(new VectorEnv);
  absl::Status status = env->Begin(options, GrpcCarriers(), addresses);
  std::vector<uint32_t> to_come;
  for (int k = 0; k < ticket.pools_size() && status.ok(); ++k) {
    const v1::PoolTicket& pool = ticket.pools(k);
    auto shard = std::make_unique<Shard>();
    shard->address = pool.address();
    shard->request = pool.request();
    auto carrier =
        AttachToPool(shard->address, options.connection, pool.pool_id(), pool.lease_token());
    if (!carrier.ok()) return carrier.status();
    shard->carrier = *std::move(carrier);
    Shard& added = *shard;
    status = env->Add(std::move(shard));
    for (const uint32_t lane : added.carrier->lanes_to_come())
      to_come.push_back(added.first_lane + lane);
  }
  if (!status.ok()) return status;
  if (to_come.empty()) {
    result = StepResult();
    return env;
  }
  // The results come by themselves.
  status = env->SendGroup(to_come,
                          [](Shard&, absl::Span<const uint32_t>,
                             absl::Span<const uint32_t>) -> absl::StatusOr<uint64_t> { return 0; });
  if (status.ok()) status = env->Receive(result);
  if (!status.ok()) {
    env->Leave();
    return status;
  }
  return env;
}

absl::Status VectorEnv::Begin(const VectorEnvOptions& options, const CarrierFactory& factory,
                              const std::vector<std::string>& addresses) {
  options_ = options;
  factory_ = factory;
  pid_ = getpid();
  addresses_ = addresses;
  if (options.connection.standby.empty()) return absl::OkStatus();
  auto standby = ParseAddresses(options.connection.standby);
  if (!standby.ok()) return Annotate(standby.status(), "standby");
  standby_ = *std::move(standby);
  return absl::OkStatus();
}

absl::Status VectorEnv::Add(std::unique_ptr<Shard> shard) {
  const v1::PoolDescription& pool = shard->carrier->pool();
  shard->index = shards_.size();
  shard->first_lane = static_cast<uint32_t>(num_envs_);
  shard->num_lanes = pool.num_envs();
  shard->TakeLayouts();
  if (shards_.empty()) {
    spec_ = pool.spec();
    for (const v1::LayoutLeaf& leaf : pool.result_layout().leaves()) {
      if (leaf.role() == v1::LEAF_ROLE_OBSERVATION) observation_leaves_.push_back(leaf);
      if (leaf.role() == v1::LEAF_ROLE_INFO) info_leaves_.push_back(leaf);
    }
    for (const v1::LayoutLeaf& leaf : pool.action_layout().leaves()) {
      action_leaves_.push_back(leaf);
      action_bytes_ += leaf.row_bytes();
    }
  } else {
    const Shard& first = *shards_.front();
    const absl::Status same =
        CheckSamePool(first.carrier->pool(), first.address, pool, shard->address);
    if (!same.ok()) return same;
  }
  num_envs_ += static_cast<int>(shard->num_lanes);
  places_.resize(static_cast<size_t>(num_envs_));
  for (uint32_t lane = shard->first_lane; lane < places_.size(); ++lane) all_lanes_.push_back(lane);
  shards_.push_back(std::move(shard));
  return absl::OkStatus();
}

void VectorEnv::Shard::TakeLayouts() {
  const v1::PoolDescription& pool = carrier->pool();
  result_layout = PayloadLayout(pool.result_layout());
  final_layout = PayloadLayout(pool.final_layout());
  for (size_t leaf = 0; leaf < result_layout.num_leaves(); ++leaf) {
    switch (pool.result_layout().leaves(static_cast<int>(leaf)).role()) {
      case v1::LEAF_ROLE_OBSERVATION:
        observation.push_back(leaf);
        break;
      case v1::LEAF_ROLE_INFO:
        info.push_back(leaf);
        break;
      case v1::LEAF_ROLE_REWARD:
        reward = leaf;
        break;
      case v1::LEAF_ROLE_FLAGS:
        flags = leaf;
        break;
      case v1::LEAF_ROLE_OP_NO:
        op_no = leaf;
        break;
      case v1::LEAF_ROLE_SEED:
        seed = leaf;
        break;
      case v1::LEAF_ROLE_EPISODE:
        episode = leaf;
        break;
      default:
        break;
    }
  }
  num_final_observations = observation.size();
}

v1::SessionTicket VectorEnv::ticket() const {
  v1::SessionTicket ticket;
  for (const auto& shard : shards_) {
    v1::PoolTicket& pool = *ticket.add_pools();
    pool.set_address(shard->address);
    pool.set_pool_id(shard->carrier->pool().pool_id());
    pool.set_lease_token(shard->carrier->lease_token());
    *pool.mutable_request() = shard->request;
  }
  return ticket;
}

void VectorEnv::Leave() {
  for (const auto& shard : shards_) shard->carrier->Leave();
}

absl::Status VectorEnv::Renew() {
  const absl::Status mine = CheckProcess();
  if (!mine.ok()) return mine;
  while (!groups_.empty()) {
    GiveUp(std::move(groups_.front()));
    groups_.erase(groups_.begin());
  }
  // The servers were there before, so they are waited for as for a broken connection.
  ConnectionOptions connection = options_.connection;
  connection.connect_timeout = std::max(connection.connect_timeout, connection.reconnect_timeout);
  const absl::Time deadline = absl::Now() + connection.connect_timeout;
  for (const auto& shard : shards_) {
    auto carrier = factory_(shard->address, connection, shard->request);
    while (PoolsAreGone(carrier.status()) && absl::Now() < deadline) {
      absl::SleepFor(kBetweenAttempts);  // it drains, or went again
      carrier = factory_(shard->address, connection, shard->request);
    }
    if (!carrier.ok()) return carrier.status();
    const absl::Status same = CheckSamePool(shard->carrier->pool(), "the server before",
                                            (*carrier)->pool(), shard->address);
    if (!same.ok()) return same;
    shard->carrier = *std::move(carrier);
    shard->stays = false;
  }
  return absl::OkStatus();
}

absl::Status VectorEnv::LeaveDrainingServer(Shard& shard) {
  std::vector<std::string> candidates = standby_;
  candidates.insert(candidates.end(), addresses_.begin(), addresses_.end());
  candidates.erase(std::remove(candidates.begin(), candidates.end(), shard.address),
                   candidates.end());
  const auto in_flight = [&] {
    return std::any_of(groups_.begin(), groups_.end(),
                       [&](const auto& group) { return group->rows_left[shard.index] > 0; });
  };
  while (!candidates.empty() && in_flight()) {
    const absl::Status status = ReceiveAnswer(shard);
    if (!status.ok()) return status;
  }
  shard.stays = true;
  if (candidates.empty()) {
    spdlog::warn("{} is draining and there is no other server to move to (see --standby)",
                 shard.address);
    return absl::OkStatus();
  }
  const auto snapshots = shard.carrier->SaveState({});
  if (!snapshots.ok()) return snapshots.status();
  for (const std::string& address : candidates) {
    auto carrier = factory_(address, options_.connection, shard.request);
    absl::Status status = carrier.status();
    if (status.ok()) {
      status = CheckSamePool(shard.carrier->pool(), shard.address, (*carrier)->pool(), address);
    }
    if (status.ok()) {
      status = LoadAll(**carrier, *snapshots, absl::Now() + options_.step_timeout);
    }
    if (status.ok()) {
      spdlog::info("{} is draining: its {} lanes moved to {}", shard.address, shard.num_lanes,
                   address);
      shard.carrier = *std::move(carrier);
      shard.address = address;
      shard.stays = false;
      return absl::OkStatus();
    }
    spdlog::warn("{} is draining; {} does not take its lanes: {}", shard.address, address,
                 std::string(status.message()));
  }
  return absl::OkStatus();
}

}  // namespace hivewire
