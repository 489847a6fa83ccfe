#include "client/vector_rollout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<std::unique_ptr<VectorRollout>> VectorRollout::Make(
    const VectorEnvOptions& options) {
  const auto addresses = ParseAddresses(options.server);
  if (!addresses.ok()) return addresses.status();
  std::unique_ptr<VectorRollout> made(new VectorRollout);
  made->options_ = options;
  if (!options.connection.standby.empty()) {
    auto standby = ParseAddresses(options.connection.standby);
    if (!standby.ok()) return Annotate(standby.status(), "standby");
    made->standby_ = *std::move(standby);
  }
  made->elsewhere_ = made->standby_;
  made->elsewhere_.insert(made->elsewhere_.end(), addresses->begin(), addresses->end());
  const int num_servers = static_cast<int>(addresses->size());
  if (options.num_envs < num_servers) {
    return absl::InvalidArgumentError(absl::StrCat(
        "num_envs: ", options.num_envs, " lanes cannot be spread over ", num_servers, " servers"));
  }
  for (int k = 0; k < num_servers; ++k) {
    Shard shard;
    shard.address = (*addresses)[static_cast<size_t>(k)];
    shard.first_lane = made->num_envs_;
    shard.num_lanes = options.num_envs / num_servers + (k < options.num_envs % num_servers ? 1 : 0);
    shard.request = PoolRequest(options, static_cast<uint32_t>(shard.num_lanes));
    auto client =
        RolloutClient::Create(shard.address, options.connection, shard.request, made->elsewhere_);
    if (!client.ok()) return client.status();
    shard.client = *std::move(client);
    made->num_envs_ += shard.num_lanes;
    made->shards_.push_back(std::move(shard));
    const absl::Status same = CheckSamePool(made->description(), made->shards_[0].address,
                                            made->client(k).pool(), made->shards_.back().address);
    if (!same.ok()) return same;
  }
  for (const v1::LayoutLeaf& leaf : made->description().result_layout().leaves()) {
    if (leaf.role() == v1::LEAF_ROLE_OBSERVATION) made->observation_leaves_.push_back(leaf);
  }
  const auto& actions = made->description().action_layout().leaves();
  made->action_leaves_.assign(actions.begin(), actions.end());
  return made;
}

absl::Status VectorRollout::Reset(int k, uint64_t seed) {
  std::vector<uint64_t> seeds;
  for (int lane = 0; lane < num_lanes(k); ++lane) {
    seeds.push_back(seed + static_cast<uint64_t>(first_lane(k) + lane));
  }
  return client(k).Reset(seeds).status();
}

absl::Status VectorRollout::Renew(int k, uint64_t seed) {
  Shard& shard = shards_[static_cast<size_t>(k)];
  shard.client->Release();
  std::vector<std::string> candidates = {shard.address};
  candidates.insert(candidates.end(), standby_.begin(), standby_.end());
  const absl::Time deadline = absl::Now() + options_.connection.reconnect_timeout;
  absl::Status status;
  while (true) {
    for (const std::string& address : candidates) {
      auto renewed = RolloutClient::Create(address, options_.connection, shard.request, elsewhere_);
      status = renewed.status();
      if (!status.ok()) continue;
      status =
          CheckSamePool(shard.client->pool(), "the server before", (*renewed)->pool(), address);
      if (!status.ok()) return status;
      shard.client = *std::move(renewed);
      shard.address = address;
      status = Reset(k, seed);
      if (status.ok()) return status;
    }
    const bool may_come = absl::IsUnavailable(status) || PoolsAreGone(status);
    if (!may_come || absl::Now() >= deadline) return status;
    absl::SleepFor(kBetweenAttempts);
  }
}

absl::StatusOr<std::vector<std::string>> VectorRollout::SaveState() {
  std::vector<std::string> snapshots;
  for (const Shard& shard : shards_) {
    auto saved = shard.client->SaveState();
    if (!saved.ok()) return saved.status();
    std::move(saved->begin(), saved->end(), std::back_inserter(snapshots));
  }
  return snapshots;
}

absl::Status VectorRollout::LoadState(const std::vector<std::string>& snapshots) {
  if (snapshots.size() != static_cast<size_t>(num_envs_)) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("snapshots: ", snapshots.size(), " for ", num_envs_, " lanes"),
                     "snapshots");
  }
  for (const Shard& shard : shards_) {
    const auto first = snapshots.begin() + shard.first_lane;
    const absl::Status status = shard.client->LoadState({first, first + shard.num_lanes}).status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
