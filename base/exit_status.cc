#include "base/exit_status.h"

#include <cstdio>

#include "absl/strings/str_format.h"

namespace hivewire {

int ExitStatus(absl::string_view program, const absl::Status& status) {
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "%s: %s\n", program, status.message());
  return 1;
}

}  // namespace hivewire
