#include "policy/ranks/moments.h"

#include <vector>

namespace hivewire {

absl::Status MergeOverRanks(Ranks& ranks, const RunningMoments& added, RunningMoments& moments) {
  // Count, mean, variance.
  std::vector<double> own = {added.count()};
  own.insert(own.end(), added.mean().begin(), added.mean().end());
  own.insert(own.end(), added.variance().begin(), added.variance().end());
  const absl::StatusOr<std::vector<double>> all = ranks.Share(absl::MakeConstSpan(own));
  if (!all.ok()) return all.status();
  const size_t dim = added.mean().size();
  for (size_t at = 0; at < all->size(); at += own.size()) {
    const absl::Span<const double> of_rank = absl::MakeConstSpan(*all).subspan(at, own.size());
    moments.Merge(of_rank[0], of_rank.subspan(1, dim), of_rank.subspan(1 + dim, dim));
  }
  return absl::OkStatus();
}

absl::Status UpdateOverRanks(Ranks* ranks, absl::Span<const float> rows,
                             absl::Span<const uint8_t> mask, RunningMoments& moments) {
  if (ranks == nullptr) {
    moments.Update(rows, mask);
    return absl::OkStatus();
  }
  RunningMoments added(static_cast<int>(moments.mean().size()));
  added.Update(rows, mask);
  return MergeOverRanks(*ranks, added, moments);
}

}  // namespace hivewire
