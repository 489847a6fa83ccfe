#include "policy/ppo/rank_minibatch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "policy/nn/guard_torch.h"
#include "policy/ppo/views.h"
#include "policy/ranks/moments.h"

namespace hivewire {

RankCount CountOverRanks(Ranks& ranks, int64_t own) {
  const double count = static_cast<double>(own);
  RankCount all = {0, own};
  for (const double other : OrThrow(ranks.Share(absl::MakeConstSpan(&count, 1)))) {
    all.total += static_cast<int64_t>(other);
    all.least = std::min(all.least, static_cast<int64_t>(other));
  }
  return all;
}

namespace {

RunningMoments MomentsOverRanks(Ranks& ranks, absl::Span<const float> values) {
  RunningMoments moments(1);
  OrThrow(UpdateOverRanks(&ranks, values, {}, moments));
  return moments;
}

AdvantageScale ScaleOf(const RunningMoments& moments) {
  const double count = moments.count();
  if (count < 2) return {};
  const double deviation = std::sqrt(moments.variance()[0] * count / (count - 1));
  return {moments.mean()[0], 1.0 / (deviation + 1e-8)};
}

}  // namespace

AdvantageScale ScaleOverRanks(Ranks& ranks, absl::Span<const float> advantages) {
  return ScaleOf(MomentsOverRanks(ranks, advantages));
}

RankPart PartOfMinibatch(Ranks& ranks, absl::Span<const float> advantages) {
  const RunningMoments moments = MomentsOverRanks(ranks, advantages);
  const double count = std::max(moments.count(), 1.0);
  return {static_cast<double>(advantages.size()) / count, ScaleOf(moments)};
}

void MeanOverRanks(Ranks& ranks, double weight, at::Tensor& gradients, PolicyLoss& policy_loss,
                   double& value_loss) {
  double* const losses[] = {&policy_loss.surrogate,     &policy_loss.entropy,
                            &policy_loss.old_approx_kl, &policy_loss.approx_kl,
                            &policy_loss.clip_fraction, &value_loss};
  // One message for everything.
  const at::Tensor host = gradients.cpu().contiguous();
  const float* const own = host.const_data_ptr<float>();
  const auto size = static_cast<size_t>(host.numel());
  std::vector<float> sums;
  sums.reserve(size + std::size(losses));
  for (size_t i = 0; i < size; ++i) sums.push_back(static_cast<float>(own[i] * weight));
  for (const double* loss : losses) sums.push_back(static_cast<float>(*loss * weight));
  OrThrow(ranks.Sum(absl::MakeSpan(sums)));
  gradients.copy_(View(absl::MakeConstSpan(sums).first(size), host.sizes()));
  for (size_t i = 0; i < std::size(losses); ++i) *losses[i] = sums[size + i];
}

void TakeRankZeros(Ranks& ranks, at::Tensor& values) {
  const at::Tensor host = values.cpu().contiguous();
  std::vector<float> sums(host.const_data_ptr<float>(),
                          host.const_data_ptr<float>() + host.numel());
  if (ranks.rank() != 0) std::fill(sums.begin(), sums.end(), 0.0f);
  OrThrow(ranks.Sum(absl::MakeSpan(sums)));
  values.copy_(View(absl::MakeConstSpan(sums), host.sizes()));
}

}  // namespace hivewire
