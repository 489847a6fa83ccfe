// The operations of quantities: what is computed from the numbers that a source has read.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_OPERATION_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_OPERATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/tasks/composed/quantity.h"

namespace hivewire {

// The stage that `operation` is for `size` numbers with these names. BAD_MODEL naming the field.
absl::StatusOr<QuantityStage> CompileOperation(const v1::Operation& operation, int size,
                                               const std::vector<std::string>& element_names,
                                               absl::string_view field);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_OPERATION_H_
