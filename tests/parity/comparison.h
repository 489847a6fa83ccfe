// How far our results are from a reference's, field by field.
#ifndef HIVEWIRE_TESTS_PARITY_COMPARISON_H_
#define HIVEWIRE_TESTS_PARITY_COMPARISON_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

namespace hivewire {

// Of one field, over all operations of a case.
struct Difference {
  double largest = 0;  // relative to max(1, |reference|)
  size_t unequal = 0;  // numbers that differ in any bit

  void Add(double ours, double reference) {
    if (std::memcmp(&ours, &reference, sizeof(double)) == 0) return;
    if (std::isnan(ours) && std::isnan(reference)) return;
    ++unequal;
    const double difference = std::abs(ours - reference) / std::max(1.0, std::abs(reference));
    largest = std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                     : std::max(largest, difference);
  }
};

struct Comparison {
  // Of rewards and info leaves: sums may be rounded in another order.
  static constexpr double kTolerance = 1e-12;

  size_t steps = 0, resets = 0;
  Difference observation, reward, terminated, truncated;
  std::vector<Difference> info;  // by leaf

  bool passed() const {
    const auto close = [](const Difference& leaf) { return leaf.largest <= kTolerance; };
    return observation.unequal == 0 && terminated.unequal == 0 && truncated.unequal == 0 &&
           close(reward) && std::all_of(info.begin(), info.end(), close);
  }
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_PARITY_COMPARISON_H_
