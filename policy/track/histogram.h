// How numbers are spread, in buckets of equal width.
#ifndef HIVEWIRE_POLICY_TRACK_HISTOGRAM_H_
#define HIVEWIRE_POLICY_TRACK_HISTOGRAM_H_

#include <vector>

#include "absl/types/span.h"

namespace hivewire {

struct Histogram {
  // One more than there are counts, rising: bucket i holds what lies in edges[i] … edges[i + 1].
  std::vector<double> edges;
  std::vector<double> counts;
};

// Of the values that are finite, from the least to the greatest; empty where none is.
Histogram MakeHistogram(absl::Span<const double> values);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_HISTOGRAM_H_
