// One of several settings that a config knows by name.
#ifndef HIVEWIRE_POLICY_NN_NAMED_H_
#define HIVEWIRE_POLICY_NN_NAMED_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/nearest.h"

namespace hivewire {

// The one whose member `name` it is. INVALID_ARGUMENT names the field and what it can be.
template <typename Named>
absl::StatusOr<const Named*> FindNamed(absl::string_view field, const std::string& name,
                                       const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& one : all) {
    if (name == one.name) return &one;
    names.emplace_back(one.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is \"", name, "\"", NearestHint(name, names)));
}

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_NAMED_H_
