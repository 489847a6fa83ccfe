#include "tests/faults/checking_algorithm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

// Observations are float32; what is computed from them is as exact as they are.
constexpr double kTolerance = 2e-6;

// Moore's mountain car, as gymnasium's MountainCar-v0 has it.
void Drive(int64_t action, double& position, double& velocity) {
  velocity += static_cast<double>(action - 1) * 0.001 - 0.0025 * std::cos(3 * position);
  velocity = std::clamp(velocity, -0.07, 0.07);
  position = std::clamp(position + velocity, -1.2, 0.6);
  if (position == -1.2 && velocity < 0) velocity = 0;
}

}  // namespace

CheckingAlgorithm::CheckingAlgorithm(int num_lanes, int fragment_length)
    : fragment_length_(fragment_length),
      observations_(2 * static_cast<size_t>(num_lanes)),
      actions_(num_lanes),
      steps_(num_lanes) {}

absl::Status CheckingAlgorithm::Act(LaneRange lanes, absl::Span<const float> observations,
                                    absl::Span<char> actions) {
  std::copy(observations.begin(), observations.end(), observations_.begin() + 2 * lanes.first);
  for (int i = 0; i < lanes.count; ++i) {
    const int64_t action = static_cast<int64_t>(random_() % 3);
    actions_[lanes.first + i] = action;
    std::memcpy(actions.data() + i * sizeof(action), &action, sizeof(action));
  }
  return absl::OkStatus();
}

absl::Status CheckingAlgorithm::Record(LaneRange lanes, const Transitions& transitions) {
  for (int i = 0; i < lanes.count; ++i) {
    const int lane = lanes.first + i;
    ++steps_[lane];
    if (!transitions.valid[i]) {
      ++invalid_;
      continue;
    }
    ++valid_;
    double position = observations_[2 * lane], velocity = observations_[2 * lane + 1];
    Drive(actions_[lane], position, velocity);
    const float* next = &transitions.next_observations[2 * i];
    if (std::abs(next[0] - position) <= kTolerance && std::abs(next[1] - velocity) <= kTolerance &&
        transitions.rewards[i] == -1) {
      continue;
    }
    return absl::DataLossError(absl::StrCat(
        "lane ", lane, ": from (", observations_[2 * lane], ", ", observations_[2 * lane + 1],
        ") action ", actions_[lane], " leads to (", position, ", ", velocity, "), recorded was (",
        next[0], ", ", next[1], ") with reward ", transitions.rewards[i]));
  }
  return absl::OkStatus();
}

int CheckingAlgorithm::StepsUntilUpdate() const {
  return fragment_length_ - *std::min_element(steps_.begin(), steps_.end());
}

absl::StatusOr<std::vector<Statistic>> CheckingAlgorithm::Update(double) {
  std::fill(steps_.begin(), steps_.end(), 0);
  return std::vector<Statistic>();
}

absl::Status CheckingAlgorithm::ActGreedily(absl::Span<const float>, absl::Span<float>,
                                            absl::Span<char>) const {
  return absl::UnimplementedError("it only checks");
}

}  // namespace hivewire
