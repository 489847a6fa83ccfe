#include "policy/track/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace hivewire {
namespace {

constexpr size_t kBuckets = 30;

}  // namespace

Histogram MakeHistogram(absl::Span<const double> values) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  Histogram histogram;
  if (low > high) return histogram;
  // A bucket of no width would hold nothing.
  if (!(high > low)) high = low + std::max(1e-12, std::fabs(low) * 1e-6);
  const double width = (high - low) / static_cast<double>(kBuckets);
  for (size_t i = 0; i < kBuckets; ++i) {
    histogram.edges.push_back(low + width * static_cast<double>(i));
  }
  histogram.edges.push_back(high);
  histogram.counts.resize(kBuckets);
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    const double bucket = (value - low) / width;
    ++histogram.counts[std::min(static_cast<size_t>(bucket), kBuckets - 1)];
  }
  return histogram;
}

}  // namespace hivewire
