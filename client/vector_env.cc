#include "client/vector_env.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/layout.h"
#include "client/vector_env_shard.h"

namespace hivewire {

namespace {

void PrepareLeaves(const std::vector<v1::LayoutLeaf>& leaves, size_t rows,
                   std::vector<LeafBuffer>& buffers) {
  if (buffers.size() != leaves.size()) {
    buffers.clear();
    for (const v1::LayoutLeaf& leaf : leaves) {
      buffers.emplace_back(leaf.name(), leaf.dtype(),
                           std::vector<int64_t>(leaf.shape().begin(), leaf.shape().end()));
    }
  }
  for (LeafBuffer& buffer : buffers) buffer.Resize(rows);
}

template <typename T>
absl::Status CheckFinite(const v1::LayoutLeaf& leaf, const char* slab, size_t count, size_t rows) {
  for (size_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, slab + k * sizeof(T), sizeof(T));
    if (std::isfinite(value)) continue;
    const size_t row_elements = count / rows;
    return MakeError(v1::ERROR_REASON_BAD_ACTION,
                     absl::StrCat("actions: leaf \"", leaf.name(), "\", row ", k / row_elements,
                                  ", element ", k % row_elements, " is not finite"),
                     "actions");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VectorEnv::CheckProcess() const {
  if (pid_ == getpid()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this VectorEnv belongs to the parent process; make a new one after fork, with an address");
}

absl::Status VectorEnv::CheckLanes(absl::Span<const uint32_t> env_ids) const {
  std::vector<bool> seen(places_.size());
  for (const uint32_t lane : env_ids) {
    if (lane >= places_.size()) {
      return MakeError(v1::ERROR_REASON_BAD_ENV_ID,
                       absl::StrCat("env_ids: lane ", lane, " is not below ", num_envs_), "env_ids",
                       absl::StrCat(lane));
    }
    if (seen[lane]) {
      return MakeError(v1::ERROR_REASON_BAD_ENV_ID,
                       absl::StrCat("env_ids: lane ", lane, " stands twice"), "env_ids",
                       absl::StrCat(lane));
    }
    seen[lane] = true;
    if (places_[lane].group != nullptr) {
      return MakeError(v1::ERROR_REASON_LANE_BUSY,
                       absl::StrCat("env_ids: lane ", lane, " is in flight; receive it first"),
                       "env_ids", absl::StrCat(lane));
    }
  }
  if (env_ids.empty())
    return MakeError(v1::ERROR_REASON_BAD_ENV_ID, "env_ids: no lane is named", "env_ids");
  return absl::OkStatus();
}

absl::Status VectorEnv::CheckActions(size_t rows, absl::Span<const char> actions) const {
  if (actions.size() != rows * action_bytes_) {
    const std::string leaves =
        absl::StrJoin(action_leaves_, ", ", [](std::string* out, const v1::LayoutLeaf& leaf) {
          absl::StrAppend(out, leaf.name(), " ", v1::DType_Name(leaf.dtype()), " (",
                          absl::StrJoin(leaf.shape(), ", "), ")");
        });
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("actions: ", actions.size(), " bytes where ", rows,
                                  " lanes need ", rows * action_bytes_, ": ", leaves),
                     "actions", absl::StrCat(actions.size()));
  }
  const char* slab = actions.data();
  for (const v1::LayoutLeaf& leaf : action_leaves_) {
    const size_t count = rows * leaf.row_bytes() / SizeOf(leaf.dtype());
    absl::Status status;
    if (leaf.dtype() == v1::DTYPE_FLOAT32) status = CheckFinite<float>(leaf, slab, count, rows);
    if (leaf.dtype() == v1::DTYPE_FLOAT64) status = CheckFinite<double>(leaf, slab, count, rows);
    if (!status.ok()) return status;
    slab += rows * leaf.row_bytes();
  }
  return absl::OkStatus();
}

absl::Status VectorEnv::SendGroup(absl::Span<const uint32_t> env_ids, SendToShard send) {
  absl::Status status = CheckProcess();
  if (status.ok()) status = CheckLanes(env_ids);
  for (const auto& shard : shards_) {
    if (status.ok() && shard->carrier->draining() && !shard->stays)
      status = LeaveDrainingServer(*shard);
  }
  if (!status.ok()) return status;
  std::unique_ptr<Group> group;
  if (spare_groups_.empty()) {
    group = std::make_unique<Group>();
  } else {
    group = std::move(spare_groups_.back());
    spare_groups_.pop_back();
  }
  group->lanes.assign(env_ids.begin(), env_ids.end());
  group->total_left = env_ids.size();
  group->rows_left.assign(shards_.size(), 0);
  group->frames.assign(shards_.size(), 0);
  group->refusal = absl::OkStatus();
  StepResult& result = group->result;
  const size_t rows = env_ids.size();
  result.env_ids.assign(env_ids.begin(), env_ids.end());
  PrepareLeaves(observation_leaves_, rows, result.observations);
  PrepareLeaves(info_leaves_, rows, result.infos);
  result.rewards.resize(rows);
  for (std::vector<uint8_t>* flags :
       {&result.terminated, &result.truncated, &result.first, &result.autoreset, &result.fault}) {
    flags->resize(rows);
  }
  result.op_nos.resize(rows);
  result.seeds.resize(rows);
  result.episode_numbers.resize(rows);
  result.final_rows.clear();
  PrepareLeaves(observation_leaves_, 0, result.final_observations);
  PrepareLeaves(info_leaves_, 0, result.final_infos);
  result.episodes.clear();
  result.faults.clear();
  for (uint32_t row = 0; row < rows; ++row) places_[env_ids[row]] = {group.get(), row};

  for (size_t k = 0; k < shards_.size() && status.ok(); ++k) {
    Shard& shard = *shards_[k];
    group->shard_lanes.clear();
    group->shard_rows.clear();
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t lane = env_ids[row] - shard.first_lane;
      if (env_ids[row] < shard.first_lane || lane >= shard.num_lanes) continue;
      group->shard_lanes.push_back(lane);
      group->shard_rows.push_back(row);
    }
    if (group->shard_lanes.empty()) continue;
    group->rows_left[k] = static_cast<uint32_t>(group->shard_lanes.size());
    const absl::StatusOr<uint64_t> frame = send(shard, group->shard_lanes, group->shard_rows);
    if (frame.ok()) {
      group->frames[k] = *frame;
    } else {
      status = frame.status();
    }
  }
  if (!status.ok()) {
    GiveUp(std::move(group));
    return status;
  }
  groups_.push_back(std::move(group));
  return absl::OkStatus();
}

void VectorEnv::GiveUp(std::unique_ptr<Group> group) {
  for (const uint32_t lane : group->lanes) {
    if (places_[lane].group == group.get()) places_[lane].group = nullptr;
  }
  spare_groups_.push_back(std::move(group));
}

absl::Status VectorEnv::SendReset(absl::Span<const uint32_t> env_ids,
                                  absl::Span<const uint64_t> seeds) {
  if (!seeds.empty() && seeds.size() != env_ids.size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("seeds: ", seeds.size(), " for ", env_ids.size(), " lanes"),
                     "seeds");
  }
  std::vector<uint64_t> shard_seeds;
  return SendGroup(env_ids, [&](Shard& shard, absl::Span<const uint32_t> lanes,
                                absl::Span<const uint32_t> rows) {
    shard_seeds.clear();
    if (!seeds.empty()) {
      for (const uint32_t row : rows) shard_seeds.push_back(seeds[row]);
    }
    return shard.carrier->SendReset(lanes, shard_seeds);
  });
}

absl::Status VectorEnv::SendStep(absl::Span<const uint32_t> env_ids,
                                 absl::Span<const char> actions) {
  const absl::Status status = CheckActions(env_ids.size(), actions);
  if (!status.ok()) return status;
  return SendGroup(env_ids, [&](Shard& shard, absl::Span<const uint32_t> lanes,
                                absl::Span<const uint32_t> rows) {
    if (lanes.size() == env_ids.size() && action_leaves_.size() == 1)
      return shard.carrier->SendStep(lanes, actions);
    const PayloadLayout layout(shard.carrier->pool().action_layout());
    shard_actions_.assign(layout.PayloadBytes(lanes.size()), '\0');
    const char* slab = actions.data();
    for (size_t leaf = 0; leaf < action_leaves_.size(); ++leaf) {
      const size_t bytes = layout.row_bytes(leaf);
      char* to = shard_actions_.data() + layout.Offset(leaf, lanes.size());
      for (const uint32_t row : rows) {
        std::memcpy(to, slab + row * bytes, bytes);
        to += bytes;
      }
      slab += env_ids.size() * bytes;
    }
    return shard.carrier->SendStep(lanes, shard_actions_);
  });
}

absl::Status VectorEnv::ReceiveAnswer(Shard& shard) {
  const absl::StatusOr<Carrier::Answer> answer =
      shard.carrier->Receive(absl::Now() + options_.step_timeout);
  if (!answer.ok()) return answer.status();
  if (answer->batch != nullptr) {
    Scatter(shard, *answer->batch);
    return absl::OkStatus();
  }
  const auto refused = std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) {
    return group->frames[shard.index] == answer->refused_frame;
  });
  if (refused == groups_.end()) return absl::OkStatus();
  // Its lanes on other servers still answer; then the caller is told.
  Group& group = **refused;
  group.refusal = answer->refusal;
  group.total_left -= group.rows_left[shard.index];
  group.rows_left[shard.index] = 0;
  return absl::OkStatus();
}

void VectorEnv::Scatter(Shard& shard, const v1::Batch& batch) {
  const size_t rows = static_cast<size_t>(batch.env_ids_size());
  shard.result_layout.Offsets(rows, shard.offsets);
  const char* payload = batch.payload().data();
  for (size_t k = 0; k < rows; ++k) {
    const uint32_t lane = shard.first_lane + batch.env_ids(static_cast<int>(k));
    Place& place = places_[lane];
    if (place.group == nullptr) continue;  // of a group that was given up
    StepResult& result = place.group->result;
    const size_t row = place.row;
    const auto copy = [&](const std::vector<size_t>& leaves, std::vector<LeafBuffer>& buffers) {
      for (size_t leaf = 0; leaf < leaves.size(); ++leaf) {
        const size_t bytes = buffers[leaf].row_bytes();
        std::memcpy(buffers[leaf].row(row), payload + shard.offsets[leaves[leaf]] + k * bytes,
                    bytes);
      }
    };
    copy(shard.observation, result.observations);
    copy(shard.info, result.infos);
    std::memcpy(&result.rewards[row], payload + shard.offsets[shard.reward] + k * 8, 8);
    std::memcpy(&result.op_nos[row], payload + shard.offsets[shard.op_no] + k * 8, 8);
    std::memcpy(&result.seeds[row], payload + shard.offsets[shard.seed] + k * 8, 8);
    std::memcpy(&result.episode_numbers[row], payload + shard.offsets[shard.episode] + k * 8, 8);
    const unsigned flags = static_cast<uint8_t>(payload[shard.offsets[shard.flags] + k]);
    result.terminated[row] = (flags & v1::LANE_FLAG_TERMINATED) != 0;
    result.truncated[row] = (flags & v1::LANE_FLAG_TRUNCATED) != 0;
    result.first[row] = (flags & v1::LANE_FLAG_FIRST) != 0;
    result.autoreset[row] = (flags & v1::LANE_FLAG_AUTORESET) != 0;
    result.fault[row] = (flags & v1::LANE_FLAG_FAULT) != 0;
  }
  const size_t finals = static_cast<size_t>(batch.finals().rows_size());
  shard.final_layout.Offsets(finals, shard.final_offsets);
  for (size_t k = 0; k < finals; ++k) {
    const int batch_row = static_cast<int>(batch.finals().rows(static_cast<int>(k)));
    const Place& place = places_[shard.first_lane + batch.env_ids(batch_row)];
    if (place.group == nullptr) continue;
    StepResult& result = place.group->result;
    const size_t at = result.final_rows.size();
    result.final_rows.push_back(place.row);
    for (size_t leaf = 0; leaf < shard.final_offsets.size(); ++leaf) {
      LeafBuffer& buffer = leaf < shard.num_final_observations
                               ? result.final_observations[leaf]
                               : result.final_infos[leaf - shard.num_final_observations];
      buffer.Resize(at + 1);
      std::memcpy(
          buffer.row(at),
          batch.finals().payload().data() + shard.final_offsets[leaf] + k * buffer.row_bytes(),
          buffer.row_bytes());
    }
  }
  for (const v1::Episode& episode : batch.episodes()) {
    const uint32_t lane = shard.first_lane + episode.env_id();
    if (places_[lane].group == nullptr) continue;
    places_[lane].group->result.episodes.push_back(episode);
    places_[lane].group->result.episodes.back().set_env_id(lane);
  }
  for (const v1::LaneFault& fault : batch.faults()) {
    const uint32_t lane = shard.first_lane + fault.env_id();
    if (places_[lane].group == nullptr) continue;
    places_[lane].group->result.faults.push_back(fault);
    places_[lane].group->result.faults.back().set_env_id(lane);
  }
  for (const uint32_t env_id : batch.env_ids()) {
    Place& place = places_[shard.first_lane + env_id];
    if (place.group == nullptr) continue;
    --place.group->rows_left[shard.index];
    --place.group->total_left;
    place.group = nullptr;
  }
}

absl::Status VectorEnv::Receive(StepResult& result) {
  const absl::Status mine = CheckProcess();
  if (!mine.ok()) return mine;
  if (groups_.empty())
    return absl::FailedPreconditionError("nothing is in flight; send a step or a reset first");
  while (true) {
    const auto ready = std::find_if(groups_.begin(), groups_.end(),
                                    [](const auto& group) { return group->total_left == 0; });
    if (ready != groups_.end()) {
      std::unique_ptr<Group> group = std::move(*ready);
      groups_.erase(ready);
      const absl::Status refusal = group->refusal;
      if (refusal.ok()) std::swap(result, group->result);
      GiveUp(std::move(group));
      return refusal;
    }
    const Group& oldest = *groups_.front();
    const auto left = std::find_if(oldest.rows_left.begin(), oldest.rows_left.end(),
                                   [](uint32_t rows) { return rows > 0; });
    const absl::Status status =
        ReceiveAnswer(*shards_[static_cast<size_t>(left - oldest.rows_left.begin())]);
    if (!status.ok()) return status;
  }
}

absl::Status VectorEnv::Reset(absl::optional<uint64_t> seed, StepResult& result) {
  std::vector<uint64_t> seeds;
  if (seed.has_value()) {
    for (const uint32_t lane : all_lanes_) seeds.push_back(*seed + lane);
  }
  const absl::Status status = SendReset(all_lanes_, seeds);
  return status.ok() ? Receive(result) : status;
}

absl::Status VectorEnv::Step(absl::Span<const char> actions, StepResult& result) {
  const absl::Status status = SendStep(all_lanes_, actions);
  return status.ok() ? Receive(result) : status;
}

absl::StatusOr<std::vector<std::string>> VectorEnv::SaveState() {
  absl::Status status = CheckProcess();
  if (status.ok() && !groups_.empty())
    status = absl::FailedPreconditionError("lanes are in flight; receive them first");
  if (!status.ok()) return status;
  std::vector<std::string> snapshots;
  for (const auto& shard : shards_) {
    auto saved = shard->carrier->SaveState({});
    if (!saved.ok()) return saved.status();
    std::move(saved->begin(), saved->end(), std::back_inserter(snapshots));
  }
  return snapshots;
}

absl::Status VectorEnv::LoadState(const std::vector<std::string>& snapshots, StepResult& result) {
  if (snapshots.size() != places_.size()) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("snapshots: ", snapshots.size(), " for ", num_envs_, " lanes"),
                     "snapshots");
  }
  const absl::Status status = SendGroup(
      all_lanes_,
      [&](Shard& shard, absl::Span<const uint32_t> lanes, absl::Span<const uint32_t> rows) {
        std::vector<std::string> mine;
        for (const uint32_t row : rows) mine.push_back(snapshots[row]);
        return shard.carrier->SendLoad(lanes, mine);
      });
  return status.ok() ? Receive(result) : status;
}

absl::StatusOr<v1::RenderResponse> VectorEnv::Render(uint32_t env_id, const std::string& camera,
                                                     uint32_t width, uint32_t height,
                                                     v1::ImageFormat format) {
  v1::RenderRequest request;
  request.set_camera(camera);
  request.set_width(width);
  request.set_height(height);
  request.set_format(format);
  return Render(env_id, std::move(request));
}

absl::StatusOr<v1::RenderResponse> VectorEnv::Render(uint32_t env_id, v1::RenderRequest request) {
  const absl::Status mine = CheckProcess();
  if (!mine.ok()) return mine;
  for (const auto& shard : shards_) {
    if (env_id < shard->first_lane || env_id - shard->first_lane >= shard->num_lanes) continue;
    request.clear_env_ids();
    request.add_env_ids(env_id - shard->first_lane);
    auto image = shard->carrier->Render(request);
    if (image.ok()) image->set_env_id(env_id);
    return image;
  }
  return MakeError(v1::ERROR_REASON_BAD_ENV_ID,
                   absl::StrCat("env_id: lane ", env_id, " is not below ", num_envs_), "env_id",
                   absl::StrCat(env_id));
}

}  // namespace hivewire
