#include "server/pool/operation_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<OperationLog>> OperationLog::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  return std::unique_ptr<OperationLog>(new OperationLog(descriptor));
}

OperationLog::~OperationLog() { close(descriptor_); }

void OperationLog::Append(absl::string_view pool_id, uint32_t lane, uint64_t op_no) {
  const std::string line = absl::StrCat(pool_id, " lane ", lane, " operation ", op_no, "\n");
  // One write of one line: lines of several workers do not mix. A log on a full disk ends.
  [[maybe_unused]] const ssize_t written = write(descriptor_, line.data(), line.size());
}

}  // namespace hivewire
