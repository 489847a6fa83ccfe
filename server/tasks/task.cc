#include "server/tasks/task.h"

#include <string>

namespace hivewire {

StateProperty StateVector(absl::string_view name, int size, absl::string_view doc) {
  StateProperty property;
  property.spec.set_name(std::string(name));
  property.spec.set_dtype(v1::DTYPE_FLOAT64);
  property.spec.add_shape(size);
  property.spec.set_writable(true);
  property.spec.set_doc(std::string(doc));
  return property;
}

void Task::Advance(TaskContext& context) const {
  if (context.simulation != nullptr) context.simulation->Step(spec().frame_skip());
}

}  // namespace hivewire
