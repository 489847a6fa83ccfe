#include "client/stepping.h"

#include <algorithm>
#include <cmath>

#include "absl/time/clock.h"
#include "base/layout.h"

namespace hivewire {

std::vector<std::string> SampleActions(ActionSampler& sampler, const VectorEnv& env, int steps) {
  std::vector<std::string> actions(static_cast<size_t>(steps));
  for (std::string& step : actions) sampler.Sample(env.num_envs(), step);
  return actions;
}

GroupStepper::GroupStepper(VectorEnv& env, int num_groups, const std::vector<std::string>& actions)
    : env_(env), groups_(static_cast<size_t>(num_groups)) {
  const size_t lanes = static_cast<size_t>(env.num_envs());
  group_of_lane_.resize(lanes);
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const size_t first = lanes * g / groups_.size();
    const size_t end = lanes * (g + 1) / groups_.size();
    for (size_t lane = first; lane < end; ++lane) {
      group.lanes.push_back(static_cast<uint32_t>(lane));
      group_of_lane_[lane] = &group;
    }
    for (const std::string& step : actions) {
      std::string& mine = group.actions.emplace_back();
      size_t slab = 0;
      for (const v1::LayoutLeaf& leaf : env.action_leaves()) {
        mine.append(step, slab + first * leaf.row_bytes(), (end - first) * leaf.row_bytes());
        slab += lanes * leaf.row_bytes();
      }
    }
  }
}

absl::Status GroupStepper::Send(Group& group) {
  const size_t at = static_cast<size_t>(group.steps) % group.actions.size();
  ++group.steps;
  return env_.SendStep(group.lanes, group.actions[at]);
}

absl::StatusOr<int64_t> GroupStepper::Run(int64_t steps, absl::Time deadline) {
  int64_t lane_steps = 0;
  int in_flight = 0;
  for (Group& group : groups_) {
    group.steps = 0;
    if (group.lanes.empty() || steps == 0) continue;
    const absl::Status status = Send(group);
    if (!status.ok()) return status;
    ++in_flight;
  }
  const bool timed = deadline != absl::InfiniteFuture();
  while (in_flight > 0) {
    absl::Status status = env_.Receive(result_);
    if (!status.ok()) return status;
    --in_flight;
    lane_steps += result_.num_rows();
    Group& group = *group_of_lane_[result_.env_ids[0]];
    if (group.steps >= steps || (timed && absl::Now() >= deadline)) continue;
    status = Send(group);
    if (!status.ok()) return status;
    ++in_flight;
  }
  return lane_steps;
}

absl::StatusOr<std::vector<double>> TimeSteps(VectorEnv& env,
                                              const std::vector<std::string>& actions, int steps) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<size_t>(steps));
  StepResult result;
  for (size_t step = 0; step < static_cast<size_t>(steps); ++step) {
    const absl::Time begin = absl::Now();
    const absl::Status status = env.Step(actions[step % actions.size()], result);
    if (!status.ok()) return status;
    seconds.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
  }
  return seconds;
}

double Quantile(std::vector<double> values, double fraction) {
  const double rank = std::ceil(fraction * static_cast<double>(values.size())) - 1;
  const auto at = values.begin() + static_cast<ptrdiff_t>(std::max(0.0, rank));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace hivewire
