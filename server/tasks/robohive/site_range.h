// Where a target may be put: a box in its body's frame, from which each reset draws.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_SITE_RANGE_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_SITE_RANGE_H_

#include <vector>

#include "server/sim/numpy_rng.h"
#include "server/tasks/options.h"

namespace hivewire {

struct SiteRange {
  // As many numbers each.
  std::vector<double> low, high;

  // One draw an element, also where both ends are equal.
  void Draw(NumpyRng& rng, double* out) const {
    for (size_t k = 0; k < low.size(); ++k) out[k] = rng.Uniform(low[k], high[k]);
  }
};

// target_site, target_xyz_low, target_xyz_high.
inline std::vector<v1::OptionSpec> SiteRangeOptions(const std::vector<double>& low,
                                                    const std::vector<double>& high) {
  return {StringOption("target_site", "target", {}, "Site of the target."),
          DoubleListOption("target_xyz_low", low, "Lower corner of where the target may be, m."),
          DoubleListOption("target_xyz_high", high, "Upper corner of where the target may be, m.")};
}

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_SITE_RANGE_H_
