// The names that somebody who typed another one most likely meant.
#ifndef HIVEWIRE_BASE_NEAREST_H_
#define HIVEWIRE_BASE_NEAREST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// At most `count` of `names`, nearest first: by edit distance without regard to case, where a name
// that contains `typed` counts as near. Names that have little in common with it are left out.
std::vector<std::string> NearestNames(absl::string_view typed, absl::Span<const std::string> names,
                                      size_t count = 3);

// For the end of an error message: "; nearest: a, b", or where no name is near, "; known: a, b, …"
// with the first few, or "; there are none".
std::string NearestHint(absl::string_view typed, absl::Span<const std::string> names);

// What somebody typed, for a message: cut with "…" where it is longer than a name would be.
std::string Excerpt(absl::string_view typed);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_NEAREST_H_
