#include "server/tasks/properties.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "server/sim/model_overrides.h"

namespace hivewire {
namespace {

constexpr EngineProperty kEngineProperties[] = {
    {"time", "s", "Since the episode's start.", mjSTATE_TIME, nullptr, 1, false},
    {"qpos", "", "Positions, m or rad; orientations are quaternions.", mjSTATE_QPOS,
     [](const mjModel& model) { return static_cast<int>(model.nq); }, 1, true},
    {"qvel", "", "Velocities, m/s or rad/s.", mjSTATE_QVEL,
     [](const mjModel& model) { return static_cast<int>(model.nv); }, 1, true},
    {"act", "", "Activations of actuators that have some.", mjSTATE_ACT,
     [](const mjModel& model) { return static_cast<int>(model.na); }, 1, true},
    {"mocap_pos", "m", "Positions of mocap bodies: targets that an env moves.", mjSTATE_MOCAP_POS,
     [](const mjModel& model) { return static_cast<int>(model.nmocap); }, 3, true},
    {"mocap_quat", "", "Their orientations.", mjSTATE_MOCAP_QUAT,
     [](const mjModel& model) { return static_cast<int>(model.nmocap); }, 4, true},
};

v1::PropertySpec MakeProperty(const char* name, const char* unit, const char* doc) {
  v1::PropertySpec property;
  property.set_name(name);
  property.set_dtype(v1::DTYPE_FLOAT64);
  property.set_unit(unit);
  property.set_doc(doc);
  return property;
}

void AddModelProperties(const mjModel& model, v1::EnvSpec& spec) {
  for (const ModelField& field : ModelFields()) {
    if (field.size(model) == 0) continue;
    v1::PropertySpec& property = *spec.add_properties();
    property = MakeProperty(field.name, field.unit, field.doc);
    for (const int64_t extent : field.shape(model)) property.add_shape(extent);
    property.set_writable(true);
    if (std::isfinite(field.minimum)) property.set_minimum(field.minimum);
  }
  for (const EngineProperty& part : kEngineProperties) {
    if (part.rows != nullptr && part.rows(model) == 0) continue;
    v1::PropertySpec& property = *spec.add_properties();
    property = MakeProperty(part.name, part.unit, part.doc);
    if (part.rows != nullptr) property.add_shape(part.rows(model));
    if (part.columns > 1) property.add_shape(part.columns);
    property.set_writable(part.writable);
  }
}

}  // namespace

absl::Span<const EngineProperty> EngineProperties() { return kEngineProperties; }

const EngineProperty* FindEngineProperty(absl::string_view name) {
  const auto found =
      std::find_if(std::begin(kEngineProperties), std::end(kEngineProperties),
                   [&](const EngineProperty& property) { return property.name == name; });
  return found == std::end(kEngineProperties) ? nullptr : found;
}

v1::EnvSpec FullSpec(const Task& task) {
  v1::EnvSpec spec = task.spec();
  if (const auto model = task.model(); model != nullptr) AddModelProperties(*model->get(), spec);
  for (const StateProperty& property : task.state_properties())
    *spec.add_properties() = property.spec;
  return spec;
}

}  // namespace hivewire
