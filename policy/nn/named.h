// What a config chooses by name.
#ifndef HIVEWIRE_POLICY_NN_NAMED_H_
#define HIVEWIRE_POLICY_NN_NAMED_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// INVALID_ARGUMENT: what the field is, and the nearest that it can be.
absl::Status UnknownName(absl::string_view field, absl::string_view name,
                         absl::Span<const std::string> known);

// That, unless the name is known.
absl::Status CheckName(absl::string_view field, absl::string_view name,
                       absl::Span<const std::string> known);

// The one of `all` whose member `name` it is; UnknownName if there is none.
template <typename Named>
absl::StatusOr<const Named*> FindNamed(absl::string_view field, const std::string& name,
                                       const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& one : all) {
    if (name == one.name) return &one;
    names.emplace_back(one.name);
  }
  return UnknownName(field, name, names);
}

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_NAMED_H_
