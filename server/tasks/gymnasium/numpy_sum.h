// Sums in the order in which numpy adds up a contiguous array, so that they are equal to the last
// bit: eight running sums for blocks of at most 128 elements, and halves for longer ones (numpy's
// "pairwise" summation).
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_NUMPY_SUM_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_NUMPY_SUM_H_

#include <cstddef>

#include "absl/types/span.h"

namespace hivewire {

// Sum of element(k) for first ≤ k < first + count, each of type Real.
template <typename Real, typename Element>
Real PairwiseSum(size_t first, size_t count, const Element& element) {
  constexpr size_t kLanes = 8, kBlock = 128;
  if (count < kLanes) {
    Real sum = 0;
    for (size_t k = 0; k < count; ++k) sum += element(first + k);
    return sum;
  }
  if (count > kBlock) {
    size_t half = count / 2;
    half -= half % kLanes;
    return PairwiseSum<Real>(first, half, element) +
           PairwiseSum<Real>(first + half, count - half, element);
  }
  Real lanes[kLanes];
  for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = element(first + lane);
  size_t k = kLanes;
  for (; k + kLanes <= count; k += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += element(first + k + lane);
  }
  Real sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
             ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; k < count; ++k) sum += element(first + k);
  return sum;
}

// np.sum(np.square(values)), values first rounded to Real.
template <typename Real>
Real SumOfSquares(absl::Span<const double> values) {
  return PairwiseSum<Real>(0, values.size(), [values](size_t k) {
    const Real value = static_cast<Real>(values[k]);
    return value * value;
  });
}

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_NUMPY_SUM_H_
