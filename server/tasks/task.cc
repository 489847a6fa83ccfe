#include "server/tasks/task.h"

namespace hivewire {

void Task::Advance(TaskContext& context) const {
  if (context.simulation != nullptr) context.simulation->Step(spec().frame_skip());
}

}  // namespace hivewire
