// Lanes over one server or several, whose policy runs there: what VectorEnv is for stepping, for
// rollouts. Each server has its part of the lanes, split and numbered as VectorEnv does, and a
// RolloutClient of its own.
//
// Lanes of a server that drains move to one of connection.standby, or to another of the list
// (rollout_client.h).
//
// Results do not equal those of one server with all the lanes: each has its own policy randomness.
//
// One thread at a time.
#ifndef HIVEWIRE_CLIENT_VECTOR_ROLLOUT_H_
#define HIVEWIRE_CLIENT_VECTOR_ROLLOUT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/rollout_client.h"
#include "client/vector_env.h"
#include "hivewire/v1/control.pb.h"

namespace hivewire {

class VectorRollout {
 public:
  // Makes a pool on each server. Of `options`, step_timeout is the caller's business. Errors are
  // those of VectorEnv::Make and RolloutClient::Create.
  static absl::StatusOr<std::unique_ptr<VectorRollout>> Make(const VectorEnvOptions& options);

  const v1::EnvSpec& spec() const { return description().spec(); }
  int num_envs() const { return num_envs_; }
  // The leaves as they are sent.
  const std::vector<v1::LayoutLeaf>& observation_leaves() const { return observation_leaves_; }
  const std::vector<v1::LayoutLeaf>& action_leaves() const { return action_leaves_; }

  int num_servers() const { return static_cast<int>(shards_.size()); }
  // Server k's lanes are first_lane(k) … first_lane(k) + num_lanes(k) − 1.
  int first_lane(int k) const { return shards_[static_cast<size_t>(k)].first_lane; }
  int num_lanes(int k) const { return shards_[static_cast<size_t>(k)].num_lanes; }
  RolloutClient& client(int k) { return *shards_[static_cast<size_t>(k)].client; }

  // Starts an episode in each of server k's lanes, lane i by seed + i.
  absl::Status Reset(int k, uint64_t seed);
  // Makes server k's pool anew after it was lost, there or on one of connection.standby, and
  // resets it. UNAVAILABLE where none is there within reconnect_timeout.
  absl::Status Renew(int k, uint64_t seed);

  // Snapshots of all lanes, by lane; and back.
  absl::StatusOr<std::vector<std::string>> SaveState();
  absl::Status LoadState(const std::vector<std::string>& snapshots);

 private:
  struct Shard {
    std::string address;
    v1::CreatePoolRequest request;
    int first_lane = 0;
    int num_lanes = 0;
    std::unique_ptr<RolloutClient> client;
  };

  VectorRollout() = default;
  const v1::PoolDescription& description() const { return shards_.front().client->pool(); }

  VectorEnvOptions options_;
  std::vector<std::string> standby_;
  std::vector<std::string> elsewhere_;  // and the servers of the list
  int num_envs_ = 0;
  std::vector<v1::LayoutLeaf> observation_leaves_;
  std::vector<v1::LayoutLeaf> action_leaves_;
  std::vector<Shard> shards_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_VECTOR_ROLLOUT_H_
