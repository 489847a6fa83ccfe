// Small files that are read as a whole: certificates, tokens, configs.
#ifndef HIVEWIRE_BASE_FILE_H_
#define HIVEWIRE_BASE_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace hivewire {

// NOT_FOUND, PERMISSION_DENIED, or FAILED_PRECONDITION (a folder), naming the path.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The first line, without white space around it; INVALID_ARGUMENT where it is empty.
absl::StatusOr<std::string> ReadSecret(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_FILE_H_
