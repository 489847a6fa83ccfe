#include "policy/normalizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hivewire {
namespace {

// Keeps a constant column from being divided by 0; gymnasium's value.
constexpr double kEpsilon = 1e-8;

}  // namespace

RunningMoments::RunningMoments(int dim)
    : mean_(dim, 0.0), variance_(dim, 1.0), batch_mean_(dim), batch_variance_(dim) {}

void RunningMoments::Update(absl::Span<const float> rows, absl::Span<const uint8_t> mask) {
  const size_t dim = mean_.size();
  if (dim == 0) return;
  const size_t num_rows = rows.size() / dim;
  std::fill(batch_mean_.begin(), batch_mean_.end(), 0.0);
  std::fill(batch_variance_.begin(), batch_variance_.end(), 0.0);
  double count = 0;
  for (size_t row = 0; row < num_rows; ++row) {
    if (!mask.empty() && !mask[row]) continue;
    count += 1;
    for (size_t i = 0; i < dim; ++i) batch_mean_[i] += rows[row * dim + i];
  }
  if (count == 0) return;
  for (double& mean : batch_mean_) mean /= count;
  for (size_t row = 0; row < num_rows; ++row) {
    if (!mask.empty() && !mask[row]) continue;
    for (size_t i = 0; i < dim; ++i) {
      const double delta = rows[row * dim + i] - batch_mean_[i];
      batch_variance_[i] += delta * delta;
    }
  }
  for (double& variance : batch_variance_) variance /= count;
  Merge(count, batch_mean_, batch_variance_);
}

void RunningMoments::Merge(double count, absl::Span<const double> mean,
                           absl::Span<const double> variance) {
  if (count == 0) return;
  const double total = count_ + count;
  for (size_t i = 0; i < mean_.size(); ++i) {
    const double delta = mean[i] - mean_[i];
    const double squares = (count_ > 0 ? variance_[i] * count_ : 0.0) + variance[i] * count +
                           delta * delta * count_ * count / total;
    mean_[i] += delta * count / total;
    variance_[i] = squares / total;
  }
  count_ = total;
}

void RunningMoments::Save(const std::string& prefix, TensorMap& tensors) const {
  tensors.PutDoubles(prefix + ".count", {&count_, 1});
  tensors.PutDoubles(prefix + ".mean", mean_);
  tensors.PutDoubles(prefix + ".variance", variance_);
}

absl::Status RunningMoments::Load(const std::string& prefix, const TensorMap& tensors) {
  absl::Status status = tensors.GetDoubles(prefix + ".count", {&count_, 1});
  if (status.ok()) status = tensors.GetDoubles(prefix + ".mean", absl::MakeSpan(mean_));
  if (status.ok()) status = tensors.GetDoubles(prefix + ".variance", absl::MakeSpan(variance_));
  return status;
}

void ObservationNormalizer::Normalize(absl::Span<float> rows) const {
  const size_t dim = moments_.mean().size();
  if (dim == 0) return;
  shift_.resize(dim);
  scale_.resize(dim);
  for (size_t i = 0; i < dim; ++i) {
    shift_[i] = static_cast<float>(moments_.mean()[i]);
    scale_[i] = static_cast<float>(1.0 / std::sqrt(moments_.variance()[i] + kEpsilon));
  }
  const float clip = static_cast<float>(clip_);
  const float* shift = shift_.data();
  const float* scale = scale_.data();
  for (size_t row = 0; row + dim <= rows.size(); row += dim) {
    float* values = rows.data() + row;
    for (size_t i = 0; i < dim; ++i) {
      values[i] = std::min(std::max((values[i] - shift[i]) * scale[i], -clip), clip);
    }
  }
}

v1::Normalizer ObservationNormalizer::Export() const {
  v1::Normalizer normalizer;
  normalizer.mutable_mean()->Assign(moments_.mean().begin(), moments_.mean().end());
  normalizer.mutable_variance()->Assign(moments_.variance().begin(), moments_.variance().end());
  normalizer.set_epsilon(kEpsilon);
  normalizer.set_clip(clip_);
  return normalizer;
}

void RewardNormalizer::Normalize(int first_lane, absl::Span<float> rewards,
                                 absl::Span<const uint8_t> valid,
                                 absl::Span<const uint8_t> terminated,
                                 absl::Span<const uint8_t> truncated) {
  scratch_.resize(rewards.size());
  for (size_t i = 0; i < rewards.size(); ++i) {
    double& lane_return = returns_[first_lane + i];
    lane_return = valid[i] ? lane_return * gamma_ + rewards[i] : 0.0;
    scratch_[i] = static_cast<float>(lane_return);
    if (terminated[i] || truncated[i]) lane_return = 0;
  }
  moments_.Update(scratch_, valid);
  if (added_.has_value()) added_->Update(scratch_, valid);
  const double scale = 1.0 / std::sqrt(moments_.variance()[0] + kEpsilon);
  for (float& reward : rewards) {
    reward = static_cast<float>(std::clamp(reward * scale, -clip_, clip_));
  }
}

void RewardNormalizer::BeginSharing() {
  before_ = moments_;
  added_ = RunningMoments(1);
}

void RewardNormalizer::EndSharing(RunningMoments all) {
  moments_ = std::move(all);
  before_.reset();
  added_.reset();
}

void RewardNormalizer::Save(const std::string& prefix, TensorMap& tensors) const {
  moments_.Save(prefix, tensors);
  tensors.PutDoubles(prefix + ".returns", returns_);
}

absl::Status RewardNormalizer::Load(const std::string& prefix, const TensorMap& tensors) {
  absl::Status status = moments_.Load(prefix, tensors);
  if (status.ok()) status = tensors.GetDoubles(prefix + ".returns", absl::MakeSpan(returns_));
  return status;
}

}  // namespace hivewire
