#include "policy/trajectory_keeper.h"

#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/layout.h"
#include "policy/npz.h"

namespace hivewire {
namespace {

template <typename Number>
std::string Bytes(const std::vector<Number>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(Number));
}

// Rows of `shape` each.
NpzArray Rows(v1::DType dtype, std::string bytes, std::vector<int64_t> shape = {}) {
  int64_t row_bytes = static_cast<int64_t>(SizeOf(dtype));
  for (const int64_t size : shape) row_bytes *= size;
  const int64_t rows = row_bytes > 0 ? static_cast<int64_t>(bytes.size()) / row_bytes : 0;
  shape.insert(shape.begin(), rows);
  return {dtype, std::move(shape), std::move(bytes)};
}

}  // namespace

TrajectoryKeeper::TrajectoryKeeper(int num_lanes, const v1::LeafSpec& action)
    : action_(action),
      ended_(static_cast<size_t>(num_lanes)),
      playing_(static_cast<size_t>(num_lanes)) {}

void TrajectoryKeeper::Observe(const StepResult& result, int row, Trajectory& trajectory) {
  trajectory.observations.resize(result.observations.size());
  for (size_t leaf = 0; leaf < result.observations.size(); ++leaf) {
    const LeafBuffer& buffer = result.observations[leaf];
    trajectory.observations[leaf].append(buffer.row(static_cast<size_t>(row)), buffer.row_bytes());
  }
}

absl::Status TrajectoryKeeper::Start(const StepResult& result) {
  leaves_.clear();
  for (const LeafBuffer& leaf : result.observations) {
    leaves_.emplace_back(leaf.name(), leaf.dtype(), leaf.shape());
  }
  for (int row = 0; row < result.num_rows(); ++row) {
    Trajectory& trajectory = playing_[result.env_ids[row]];
    trajectory = {};
    trajectory.seed = result.seeds[row];
    Observe(result, row, trajectory);
  }
  return absl::OkStatus();
}

absl::Status TrajectoryKeeper::Step(absl::Span<const char> actions, const StepResult& result) {
  const size_t action_bytes = actions.size() / static_cast<size_t>(result.num_rows());
  for (int row = 0; row < result.num_rows(); ++row) {
    const uint32_t lane = result.env_ids[row];
    Trajectory& trajectory = playing_[lane];
    if (result.fault[row] || result.first[row]) {
      // No transition: what was being played ended before, or failed and does not count.
      trajectory = {};
      trajectory.seed = result.seeds[row];
      if (!result.fault[row]) Observe(result, row, trajectory);
      continue;
    }
    const absl::Span<const char> action = actions.subspan(row * action_bytes, action_bytes);
    trajectory.actions.append(action.data(), action.size());
    trajectory.rewards.push_back(result.rewards[row]);
    trajectory.terminated.push_back(static_cast<char>(result.terminated[row]));
    trajectory.truncated.push_back(static_cast<char>(result.truncated[row]));
    Observe(result, row, trajectory);
    if (result.terminated[row] || result.truncated[row]) {
      ended_[lane].push_back(std::exchange(trajectory, {}));
    }
  }
  return absl::OkStatus();
}

absl::Status TrajectoryKeeper::Write(const std::string& path) const {
  Trajectory all;
  all.observations.resize(leaves_.size());
  std::vector<int64_t> lengths;
  std::vector<double> returns;
  std::vector<uint64_t> seeds;
  for (const std::vector<Trajectory>& lane : ended_) {
    for (const Trajectory& trajectory : lane) {
      for (size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
        all.observations[leaf] += trajectory.observations[leaf];
      }
      all.actions += trajectory.actions;
      all.rewards.insert(all.rewards.end(), trajectory.rewards.begin(), trajectory.rewards.end());
      all.terminated += trajectory.terminated;
      all.truncated += trajectory.truncated;
      lengths.push_back(static_cast<int64_t>(trajectory.rewards.size()));
      returns.push_back(std::accumulate(trajectory.rewards.begin(), trajectory.rewards.end(), 0.0));
      seeds.push_back(trajectory.seed);
    }
  }
  if (lengths.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": no episode has ended"));
  }
  std::map<std::string, NpzArray> arrays;
  for (size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const LeafBuffer& buffer = leaves_[leaf];
    arrays["observations/" + buffer.name()] =
        Rows(buffer.dtype(), std::move(all.observations[leaf]), buffer.shape());
  }
  arrays["actions"] = Rows(action_.dtype(), std::move(all.actions),
                           {action_.shape().begin(), action_.shape().end()});
  arrays["rewards"] = Rows(v1::DTYPE_FLOAT64, Bytes(all.rewards));
  arrays["terminated"] = Rows(v1::DTYPE_BOOL, std::move(all.terminated));
  arrays["truncated"] = Rows(v1::DTYPE_BOOL, std::move(all.truncated));
  arrays["episode_lengths"] = Rows(v1::DTYPE_INT64, Bytes(lengths));
  arrays["episode_returns"] = Rows(v1::DTYPE_FLOAT64, Bytes(returns));
  arrays["episode_seeds"] = Rows(v1::DTYPE_UINT64, Bytes(seeds));
  return WriteNpz(path, arrays);
}

}  // namespace hivewire
