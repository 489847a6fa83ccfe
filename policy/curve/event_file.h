// Scalars read back from TensorBoard's event files.
#ifndef HIVEWIRE_POLICY_CURVE_EVENT_FILE_H_
#define HIVEWIRE_POLICY_CURVE_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

struct ScalarPoint {
  int64_t step = 0;
  float value = 0;
};

// All points of `tag` in the event files of `folder`, by step. Where a resumed run wrote a step
// again, the last one written counts. A record that a killed writer left unfinished ends its file.
// NOT_FOUND where the folder has no event file, or none with the tag; then it names those there
// are.
absl::StatusOr<std::vector<ScalarPoint>> ReadScalars(const std::string& folder,
                                                     absl::string_view tag);

// The returns of a run: of its training episodes, or, where it reports none (only_statistics), of
// its evaluations.
absl::StatusOr<std::vector<ScalarPoint>> ReadReturns(const std::string& folder);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CURVE_EVENT_FILE_H_
