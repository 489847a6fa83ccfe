// How a program ends.
#ifndef HIVEWIRE_BASE_EXIT_STATUS_H_
#define HIVEWIRE_BASE_EXIT_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hivewire {

// What main() returns: 0, or 1 with "PROGRAM: MESSAGE" printed to stderr.
int ExitStatus(absl::string_view program, const absl::Status& status);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_EXIT_STATUS_H_
