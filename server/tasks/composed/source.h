// The sources of quantities: what is read from the simulation.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_SOURCE_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_SOURCE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/tasks/composed/quantity.h"

namespace hivewire {

// The stage that `quantity.source` stands for. BAD_MODEL naming the field below `field`.
absl::StatusOr<QuantityStage> CompileSource(const v1::Quantity& quantity, const Setting& setting,
                                            absl::string_view field);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_SOURCE_H_
