// A log of every operation that ran: one line each, "pool-1 lane 3 operation 17", written as it
// ends and never held back. For proving that none was lost or ran twice, and for finding out who
// did what.
//
// Thread-safe. Costs a system call an operation: not for production.
#ifndef HIVEWIRE_SERVER_POOL_OPERATION_LOG_H_
#define HIVEWIRE_SERVER_POOL_OPERATION_LOG_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class OperationLog {
 public:
  // Appends to the file, which is made where it is not there. The error names the path.
  static absl::StatusOr<std::unique_ptr<OperationLog>> Open(const std::string& path);
  ~OperationLog();
  OperationLog(const OperationLog&) = delete;
  OperationLog& operator=(const OperationLog&) = delete;

  void Append(absl::string_view pool_id, uint32_t lane, uint64_t op_no);

 private:
  explicit OperationLog(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_OPERATION_LOG_H_
