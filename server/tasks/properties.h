// The properties that an env offers (GetProperties, SetProperties): the same ones for every env of
// an engine, and the task's own.
#ifndef HIVEWIRE_SERVER_TASKS_PROPERTIES_H_
#define HIVEWIRE_SERVER_TASKS_PROPERTIES_H_

#include <mujoco/mujoco.h>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"
#include "server/tasks/task.h"

namespace hivewire {

// A part of the engine's state that is a property, under MuJoCo's own name.
struct EngineProperty {
  const char* name;
  const char* unit;
  const char* doc;
  mjtState part;                      // of mjSTATE_INTEGRATION
  int (*rows)(const mjModel& model);  // null for a scalar
  int columns;
  bool writable;
};

absl::Span<const EngineProperty> EngineProperties();
// Null for a name that is none.
const EngineProperty* FindEngineProperty(absl::string_view name);

// The task's spec, with all properties: model fields, engine state, the task's own.
v1::EnvSpec FullSpec(const Task& task);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_PROPERTIES_H_
