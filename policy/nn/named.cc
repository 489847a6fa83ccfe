#include "policy/nn/named.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/nearest.h"

namespace hivewire {

absl::Status UnknownName(absl::string_view field, absl::string_view name,
                         absl::Span<const std::string> known) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is \"", name, "\"", NearestHint(name, known)));
}

absl::Status CheckName(absl::string_view field, absl::string_view name,
                       absl::Span<const std::string> known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  return UnknownName(field, name, known);
}

}  // namespace hivewire
