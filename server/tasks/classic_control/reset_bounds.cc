#include "server/tasks/classic_control/reset_bounds.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {

absl::StatusOr<ResetBounds> ParseResetBounds(const Options& options, ResetBounds defaults) {
  if (options.empty()) return defaults;  // as nearly always; what follows allocates
  const auto resolved =
      ResolveOptions({DoubleOption("low", defaults.low, "Least value of the first state."),
                      DoubleOption("high", defaults.high, "Greatest value of the first state.")},
                     options);
  if (!resolved.ok()) return resolved.status();
  const double low = GetDouble(*resolved, "low");
  const double high = GetDouble(*resolved, "high");
  if (!(low <= high) || !std::isfinite(high - low)) {
    return MakeError(
        v1::ERROR_REASON_BAD_OPTION,
        absl::StrCat("options low = ", low, " and high = ", high, " are no finite range"),
        "options.low", absl::StrCat(low));
  }
  return ResetBounds{low, high};
}

}  // namespace hivewire
