// The inside of VectorEnv: its lanes on one server, and lanes that are in flight together.
#ifndef HIVEWIRE_CLIENT_VECTOR_ENV_SHARD_H_
#define HIVEWIRE_CLIENT_VECTOR_ENV_SHARD_H_

#include <memory>
#include <string>
#include <vector>

#include "base/layout.h"
#include "client/vector_env.h"

namespace hivewire {

// The lanes on one server.
struct VectorEnv::Shard {
  size_t index = 0;
  std::string address;
  v1::CreatePoolRequest request;
  uint32_t first_lane = 0;
  uint32_t num_lanes = 0;
  std::unique_ptr<Carrier> carrier;
  // The server drains, and no other one took the pool: it stays to the end.
  bool stays = false;

  // Leaves of the pool's layouts by role.
  PayloadLayout result_layout, final_layout;
  std::vector<size_t> observation, info;  // result leaves
  size_t reward = 0, flags = 0, op_no = 0, seed = 0, episode = 0;
  size_t num_final_observations = 0;  // the rest of the final layout's leaves are infos

  std::vector<size_t> offsets, final_offsets;  // scratch

  // Reads the layouts of the carrier's pool.
  void TakeLayouts();
};

// Lanes that were sent together, and their results so far.
struct VectorEnv::Group {
  std::vector<uint32_t> lanes;
  std::vector<uint32_t> rows_left;  // by shard
  std::vector<uint64_t> frames;     // by shard: number of the frame, 0 for none
  size_t total_left = 0;
  absl::Status refusal;
  StepResult result;
  std::vector<uint32_t> shard_lanes, shard_rows;  // scratch of the sender
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_VECTOR_ENV_SHARD_H_
