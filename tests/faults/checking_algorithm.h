// An "algorithm" that learns nothing and believes nothing: it acts at random in MountainCar-v0 and
// recomputes every transition that it is given. A step that was lost, doubled, or put into another
// lane does not follow from the observation before it.
#ifndef HIVEWIRE_TESTS_FAULTS_CHECKING_ALGORITHM_H_
#define HIVEWIRE_TESTS_FAULTS_CHECKING_ALGORITHM_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "policy/algorithm.h"

namespace hivewire {

class CheckingAlgorithm : public Algorithm {
 public:
  CheckingAlgorithm(int num_lanes, int fragment_length);

  absl::Status Act(LaneRange lanes, absl::Span<const float> observations,
                   absl::Span<char> actions) override;
  // DATA_LOSS names the lane and the numbers of a transition that cannot have happened.
  absl::Status Record(LaneRange lanes, const Transitions& transitions) override;
  int StepsUntilUpdate() const override;
  absl::StatusOr<std::vector<Statistic>> Update(double progress) override;

  absl::Status ActGreedily(absl::Span<const float>, absl::Span<float>,
                           absl::Span<char>) const override;
  absl::Status Save(TensorMap&) const override { return absl::OkStatus(); }
  absl::Status Load(const TensorMap&) override { return absl::OkStatus(); }

  // Transitions that were checked, and rows that were none.
  int64_t valid() const { return valid_; }
  int64_t invalid() const { return invalid_; }

 private:
  const int fragment_length_;
  std::mt19937 random_{1};
  std::vector<float> observations_;  // (lanes, 2) that the lane acted on
  std::vector<int64_t> actions_;
  std::vector<int> steps_;
  int64_t valid_ = 0;
  int64_t invalid_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_CHECKING_ALGORITHM_H_
