#include "client/recovery.h"

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "base/error.h"

namespace hivewire {

bool IsBrokenConnection(const absl::Status& status) {
  if (ReasonOf(status) != v1::ERROR_REASON_UNSPECIFIED) return false;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInternal:  // RST_STREAM
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

std::string NewIdempotencyKey() {
  char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes))) return "";
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace hivewire
