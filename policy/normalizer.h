// Running normalisation of observations and rewards, as gymnasium's NormalizeObservation and
// NormalizeReward do it, over many lanes.
//
// Plain values in float64; not thread-safe.
#ifndef HIVEWIRE_POLICY_NORMALIZER_H_
#define HIVEWIRE_POLICY_NORMALIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

// Mean and variance of all rows ever seen, column by column.
class RunningMoments {
 public:
  explicit RunningMoments(int dim);

  // Takes in `rows` (n, dim), without those whose `mask` is 0 (empty: all of them).
  void Update(absl::Span<const float> rows, absl::Span<const uint8_t> mask = {});
  // As though `count` rows of that mean and variance had been seen here (Chan et al. 1979).
  void Merge(double count, absl::Span<const double> mean, absl::Span<const double> variance);

  double count() const { return count_; }
  const std::vector<double>& mean() const { return mean_; }
  // Population variance; 1 before the first row.
  const std::vector<double>& variance() const { return variance_; }

  void Save(const std::string& prefix, TensorMap& tensors) const;
  absl::Status Load(const std::string& prefix, const TensorMap& tensors);

 private:
  double count_ = 0;
  std::vector<double> mean_;
  std::vector<double> variance_;
  // Scratch of Update.
  std::vector<double> batch_mean_;
  std::vector<double> batch_variance_;
};

class ObservationNormalizer {
 public:
  ObservationNormalizer(int dim, double clip) : moments_(dim), clip_(clip) {}

  RunningMoments& moments() { return moments_; }
  const RunningMoments& moments() const { return moments_; }

  // In place, (n, dim).
  void Normalize(absl::Span<float> rows) const;

  // What Normalize does now, as data.
  v1::Normalizer Export() const;

 private:
  RunningMoments moments_;
  double clip_;
  // Scratch of Normalize: one multiply and add an element.
  mutable std::vector<float> shift_;
  mutable std::vector<float> scale_;
};

class RewardNormalizer {
 public:
  RewardNormalizer(int num_lanes, double gamma, double clip)
      : moments_(1), gamma_(gamma), clip_(clip), returns_(num_lanes, 0.0) {}

  // Rewards of lanes first_lane … in place. `valid` 0: no reward, and the lane's return starts
  // anew; so it does after `done`.
  void Normalize(int first_lane, absl::Span<float> rewards, absl::Span<const uint8_t> valid,
                 absl::Span<const uint8_t> terminated, absl::Span<const uint8_t> truncated);

  // For learners that share what they saw: between the two calls, what is taken in is kept apart
  // too, beside what there was before; `all` is what all of them have seen by then.
  void BeginSharing();
  const RunningMoments& before() const { return *before_; }
  const RunningMoments& added() const { return *added_; }
  void EndSharing(RunningMoments all);

  void Save(const std::string& prefix, TensorMap& tensors) const;
  absl::Status Load(const std::string& prefix, const TensorMap& tensors);

 private:
  RunningMoments moments_;
  std::optional<RunningMoments> before_;
  std::optional<RunningMoments> added_;
  double gamma_;
  double clip_;
  std::vector<double> returns_;
  std::vector<float> scratch_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NORMALIZER_H_
