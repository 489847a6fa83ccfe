// Properties of lanes, over all servers.
#include <utility>

#include "base/error.h"
#include "client/vector_env.h"
#include "client/vector_env_shard.h"

namespace hivewire {

absl::Status VectorEnv::CheckIdle(absl::Span<const uint32_t> env_ids) const {
  const absl::Status status = CheckProcess();
  if (!status.ok()) return status;
  return CheckLanes(env_ids.empty() ? absl::MakeConstSpan(all_lanes_) : env_ids);
}

absl::StatusOr<std::vector<v1::LaneProperties>> VectorEnv::GetProperties(
    absl::Span<const uint32_t> env_ids, const std::vector<std::string>& names) {
  const absl::Status status = CheckIdle(env_ids);
  if (!status.ok()) return status;
  const absl::Span<const uint32_t> lanes =
      env_ids.empty() ? absl::MakeConstSpan(all_lanes_) : env_ids;
  // By row of `lanes`.
  std::vector<v1::LaneProperties> properties(lanes.size());
  for (const auto& shard : shards_) {
    v1::GetPropertiesRequest request;
    request.mutable_names()->Assign(names.begin(), names.end());
    std::vector<size_t> rows;
    for (size_t row = 0; row < lanes.size(); ++row) {
      if (lanes[row] < shard->first_lane || lanes[row] - shard->first_lane >= shard->num_lanes)
        continue;
      request.add_env_ids(lanes[row] - shard->first_lane);
      rows.push_back(row);
    }
    if (rows.empty()) continue;
    auto response = shard->carrier->GetProperties(request);
    if (!response.ok()) return response.status();
    if (static_cast<size_t>(response->lanes_size()) != rows.size())
      return absl::InternalError(shard->address + ": properties of other lanes than asked for");
    for (size_t k = 0; k < rows.size(); ++k) {
      properties[rows[k]].Swap(response->mutable_lanes(static_cast<int>(k)));
      properties[rows[k]].set_env_id(lanes[rows[k]]);
    }
  }
  return properties;
}

absl::Status VectorEnv::SetProperties(const std::vector<v1::LaneProperties>& lanes) {
  std::vector<uint32_t> env_ids;
  for (const v1::LaneProperties& lane : lanes) env_ids.push_back(lane.env_id());
  if (env_ids.empty()) return absl::OkStatus();
  absl::Status status = CheckIdle(env_ids);
  for (const auto& shard : shards_) {
    v1::SetPropertiesRequest request;
    for (const v1::LaneProperties& lane : lanes) {
      if (lane.env_id() < shard->first_lane ||
          lane.env_id() - shard->first_lane >= shard->num_lanes)
        continue;
      v1::LaneProperties& own = *request.add_lanes();
      own = lane;
      own.set_env_id(lane.env_id() - shard->first_lane);
    }
    if (status.ok() && request.lanes_size() > 0) status = shard->carrier->SetProperties(request);
  }
  return status;
}

absl::Status VectorEnv::SetProperty(const std::string& name, const v1::Value& value) {
  std::vector<v1::LaneProperties> lanes(all_lanes_.size());
  for (const uint32_t lane : all_lanes_) {
    lanes[lane].set_env_id(lane);
    (*lanes[lane].mutable_values())[name] = value;
  }
  return SetProperties(lanes);
}

}  // namespace hivewire
