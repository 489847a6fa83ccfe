#include "policy/experience.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/layout.h"

namespace hivewire {
namespace {

// Leaves of a fragment's payload, in this order.
enum Leaf { kObservation, kAction, kLogProb, kReward, kFlags, kVersion, kNumLeaves };

v1::LayoutLeaf ArrayLeaf(const char* name, v1::LeafRole role, v1::DType dtype, size_t size) {
  v1::LayoutLeaf leaf = MakeLayoutLeaf(name, role, dtype);
  leaf.add_shape(static_cast<int64_t>(size));
  leaf.set_row_bytes(size * SizeOf(dtype));
  return leaf;
}

v1::Layout LayoutOf(const ExperienceShape& shape) {
  v1::Layout layout;
  *layout.add_leaves() = ArrayLeaf("observation", v1::LEAF_ROLE_OBSERVATION, v1::DTYPE_FLOAT32,
                                   static_cast<size_t>(shape.observation_dim));
  *layout.add_leaves() =
      ArrayLeaf("action", v1::LEAF_ROLE_ACTION, v1::DTYPE_UINT8, shape.action_bytes);
  *layout.add_leaves() = MakeLayoutLeaf("log_prob", v1::LEAF_ROLE_LOG_PROB, v1::DTYPE_FLOAT32);
  *layout.add_leaves() = MakeLayoutLeaf("reward", v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64);
  *layout.add_leaves() = MakeLayoutLeaf("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8);
  *layout.add_leaves() =
      MakeLayoutLeaf("policy_version", v1::LEAF_ROLE_POLICY_VERSION, v1::DTYPE_UINT64);
  SetLayoutHash("", "", layout);
  return layout;
}

// Copies rows of `part`, which has lanes_of_part lanes, beside others.
template <typename T>
void PutLanes(const std::vector<T>& part, size_t lanes_of_part, size_t width, size_t first_lane,
              size_t lanes, std::vector<T>& all) {
  const size_t rows = part.size() / (lanes_of_part * width);
  for (size_t t = 0; t < rows; ++t) {
    std::copy_n(part.begin() + t * lanes_of_part * width, lanes_of_part * width,
                all.begin() + (t * lanes + first_lane) * width);
  }
}

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("fragment.", what));
}

}  // namespace

void Experience::Resize(int num_steps) {
  steps = num_steps;
  const size_t rows = row(num_steps, 0);
  observations.resize((rows + lanes.size()) * static_cast<size_t>(shape.observation_dim));
  first_memory.resize(lanes.size() * shape.memory_width);
  actions.resize(rows * shape.action_bytes);
  log_probs.resize(rows);
  rewards.resize(rows);
  versions.resize(rows);
  for (auto* flags : {&terminated, &truncated, &valid, &fault}) flags->resize(rows);
}

Experience JoinLanes(std::vector<Experience> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  Experience all;
  if (parts.empty()) return all;
  all.shape = parts[0].shape;
  for (const Experience& part : parts) {
    all.lanes.insert(all.lanes.end(), part.lanes.begin(), part.lanes.end());
    all.episodes.insert(all.episodes.end(), part.episodes.begin(), part.episodes.end());
    all.shape.memory_width = std::max(all.shape.memory_width, part.shape.memory_width);
  }
  all.Resize(parts[0].steps);
  size_t first = 0;
  for (const Experience& part : parts) {
    const auto put = [&, size = part.lanes.size()](auto Experience::*array, size_t width = 1) {
      PutLanes(part.*array, size, width, first, all.lanes.size(), all.*array);
    };
    put(&Experience::observations, static_cast<size_t>(all.shape.observation_dim));
    put(&Experience::actions, all.shape.action_bytes);
    put(&Experience::log_probs);
    put(&Experience::rewards);
    put(&Experience::terminated);
    put(&Experience::truncated);
    put(&Experience::valid);
    put(&Experience::fault);
    put(&Experience::versions);
    if (part.shape.memory_width == all.shape.memory_width) {
      std::copy(part.first_memory.begin(), part.first_memory.end(),
                all.first_memory.begin() + first * all.shape.memory_width);
    }
    first += part.lanes.size();
  }
  return all;
}

std::vector<EpisodeSummary> EpisodesWithin(const Experience& experience, int steps) {
  std::map<int, std::deque<EpisodeSummary>> by_lane;
  for (const EpisodeSummary& episode : experience.episodes) {
    by_lane[episode.lane].push_back(episode);
  }
  std::vector<EpisodeSummary> within;
  for (size_t k = 0; k < experience.lanes.size(); ++k) {
    // A lane that stands there twice goes on with the next ones.
    std::deque<EpisodeSummary>& left = by_lane[experience.lanes[k]];
    for (int t = 0; t < experience.steps && !left.empty(); ++t) {
      const size_t row = experience.row(t, k);
      if (!experience.valid[row] || !(experience.terminated[row] || experience.truncated[row])) {
        continue;
      }
      if (t < steps) within.push_back(left.front());
      left.pop_front();
    }
  }
  return within;
}

v1::Fragment ToFragment(const Experience& experience) {
  v1::Fragment fragment;
  const size_t lanes = experience.lanes.size();
  const size_t rows = experience.row(experience.steps, 0);
  for (size_t k = 0; k < lanes; ++k) fragment.add_env_ids(static_cast<uint32_t>(k));
  fragment.set_length(static_cast<uint32_t>(experience.steps));
  *fragment.mutable_layout() = LayoutOf(experience.shape);
  const PayloadLayout payload(fragment.layout());
  std::vector<size_t> offsets;
  payload.Offsets(rows, offsets);
  std::string& bytes = *fragment.mutable_payload();
  bytes.resize(payload.PayloadBytes(rows));
  const size_t row_floats = static_cast<size_t>(experience.shape.observation_dim);
  std::memcpy(&bytes[offsets[kObservation]], experience.observations.data(),
              rows * row_floats * sizeof(float));
  std::memcpy(&bytes[offsets[kAction]], experience.actions.data(), experience.actions.size());
  std::memcpy(&bytes[offsets[kLogProb]], experience.log_probs.data(), rows * sizeof(float));
  std::memcpy(&bytes[offsets[kVersion]], experience.versions.data(), rows * sizeof(uint64_t));
  for (size_t row = 0; row < rows; ++row) {
    const double reward = experience.rewards[row];
    std::memcpy(&bytes[offsets[kReward] + row * sizeof(reward)], &reward, sizeof(reward));
    const bool fault = experience.fault[row];
    const int flags = (experience.terminated[row] ? v1::LANE_FLAG_TERMINATED : 0) |
                      (experience.truncated[row] ? v1::LANE_FLAG_TRUNCATED : 0) |
                      (fault ? v1::LANE_FLAG_FAULT : 0) |
                      (!fault && !experience.valid[row] ? v1::LANE_FLAG_FIRST : 0);
    bytes[offsets[kFlags] + row] = static_cast<char>(flags);
  }
  fragment.set_last_observation(
      reinterpret_cast<const char*>(experience.observations.data() + rows * row_floats),
      lanes * row_floats * sizeof(float));
  fragment.set_first_memory(reinterpret_cast<const char*>(experience.first_memory.data()),
                            experience.first_memory.size() * sizeof(float));
  for (const EpisodeSummary& episode : experience.episodes) {
    v1::Episode& ended = *fragment.add_episodes();
    ended.set_env_id(static_cast<uint32_t>(episode.lane - experience.lanes[0]));
    ended.set_episode_return(episode.episode_return);
    ended.set_length(static_cast<uint64_t>(episode.length));
  }
  return fragment;
}

absl::StatusOr<Experience> FromFragment(const v1::Fragment& fragment, const ExperienceShape& shape,
                                        int first_lane, int num_lanes) {
  constexpr uint32_t kMaxSteps = 1 << 24;
  if (fragment.length() < 1 || fragment.length() > kMaxSteps) {
    return Wrong(absl::StrCat("length: ", fragment.length(), " is not 1 … ", kMaxSteps));
  }
  bool in_order = fragment.env_ids_size() == num_lanes;
  for (int k = 0; in_order && k < num_lanes; ++k) {
    in_order = fragment.env_ids(k) == static_cast<uint32_t>(k);
  }
  if (!in_order) return Wrong(absl::StrCat("env_ids: not 0 … ", num_lanes - 1));
  const v1::Layout layout = LayoutOf(shape);
  if (fragment.layout().hash() != layout.hash()) {
    return Wrong(absl::StrCat("layout: its hash is not that of ", shape.observation_dim,
                              " observation elements and ", shape.action_bytes,
                              " bytes of action"));
  }
  const size_t rows = size_t{fragment.length()} * static_cast<size_t>(num_lanes);
  const PayloadLayout payload(layout);
  const std::string& bytes = fragment.payload();
  if (bytes.size() != payload.PayloadBytes(rows)) {
    return Wrong(absl::StrCat("payload: ", bytes.size(), " bytes where ", rows, " rows need ",
                              payload.PayloadBytes(rows)));
  }
  Experience experience;
  experience.shape = shape;
  for (int k = 0; k < num_lanes; ++k) experience.lanes.push_back(first_lane + k);
  const size_t row_bytes = static_cast<size_t>(shape.observation_dim) * sizeof(float);
  if (fragment.last_observation().size() != experience.lanes.size() * row_bytes) {
    return Wrong(absl::StrCat("last_observation: ", fragment.last_observation().size(),
                              " bytes where ", num_lanes, " lanes need ",
                              experience.lanes.size() * row_bytes));
  }
  experience.Resize(static_cast<int>(fragment.length()));
  const std::string& memory = fragment.first_memory();
  const size_t memory_bytes = experience.first_memory.size() * sizeof(float);
  if (!memory.empty() && memory.size() != memory_bytes) {
    return Wrong(absl::StrCat("first_memory: ", memory.size(), " bytes where ", num_lanes,
                              " lanes need ", memory_bytes));
  }
  std::copy(memory.begin(), memory.end(), reinterpret_cast<char*>(experience.first_memory.data()));
  std::vector<size_t> offsets;
  payload.Offsets(rows, offsets);
  char* observations = reinterpret_cast<char*>(experience.observations.data());
  std::memcpy(observations, &bytes[offsets[kObservation]], rows * row_bytes);
  std::memcpy(observations + rows * row_bytes, fragment.last_observation().data(),
              fragment.last_observation().size());
  std::memcpy(experience.actions.data(), &bytes[offsets[kAction]], experience.actions.size());
  std::memcpy(experience.log_probs.data(), &bytes[offsets[kLogProb]], rows * sizeof(float));
  std::memcpy(experience.versions.data(), &bytes[offsets[kVersion]], rows * sizeof(uint64_t));
  for (size_t row = 0; row < rows; ++row) {
    double reward;
    std::memcpy(&reward, &bytes[offsets[kReward] + row * sizeof(reward)], sizeof(reward));
    experience.rewards[row] = static_cast<float>(reward);
    const int flags = bytes[offsets[kFlags] + row];
    experience.terminated[row] = (flags & v1::LANE_FLAG_TERMINATED) != 0;
    experience.truncated[row] = (flags & v1::LANE_FLAG_TRUNCATED) != 0;
    experience.fault[row] = (flags & v1::LANE_FLAG_FAULT) != 0;
    experience.valid[row] = (flags & (v1::LANE_FLAG_FIRST | v1::LANE_FLAG_FAULT)) == 0;
  }
  const auto finite = [](float x) { return std::isfinite(x); };
  for (const auto& [name, array] :
       {std::pair("observation", &experience.observations),
        std::pair("first_memory", &experience.first_memory),
        std::pair("log_prob", &experience.log_probs), std::pair("reward", &experience.rewards)}) {
    if (!std::all_of(array->begin(), array->end(), finite)) {
      return Wrong(absl::StrCat(name, ": a number is not finite"));
    }
  }
  for (const v1::Episode& episode : fragment.episodes()) {
    if (episode.env_id() >= static_cast<uint32_t>(num_lanes)) {
      return Wrong(absl::StrCat("episodes: lane ", episode.env_id(), " is not below ", num_lanes));
    }
    experience.episodes.push_back({episode.episode_return(), static_cast<double>(episode.length()),
                                   first_lane + static_cast<int>(episode.env_id())});
  }
  return experience;
}

}  // namespace hivewire
