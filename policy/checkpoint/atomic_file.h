// Files that are there whole or not at all, whatever happens while they are written.
#ifndef HIVEWIRE_POLICY_CHECKPOINT_ATOMIC_FILE_H_
#define HIVEWIRE_POLICY_CHECKPOINT_ATOMIC_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// Writes the pieces, one after the other, to a new file beside `path`, syncs it to the disk and
// renames it to `path`. On failure (RESOURCE_EXHAUSTED where the disk is full) what stood at `path`
// is untouched and the new file is gone.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::Span<const absl::string_view> pieces);

// Makes `path` a second name of `existing`, replacing what it named.
absl::Status LinkAtomically(const std::string& existing, const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_ATOMIC_FILE_H_
