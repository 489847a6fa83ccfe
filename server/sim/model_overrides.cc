#include "server/sim/model_overrides.h"

#include <mujoco/mjxmacro.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace hivewire {
namespace {

constexpr double kAny = -std::numeric_limits<double>::infinity();

#define COUNT(name) [](const mjModel& model) { return static_cast<int>(model.name); }
#define ARRAY(name) [](mjModel& model) { return model.name; }

constexpr ModelField kFields[] = {
    {"gravity", "m/s²", "Acceleration of free fall.", nullptr, 3, ARRAY(opt.gravity), kAny, false},
    {"wind", "m/s", "Velocity of the medium.", nullptr, 3, ARRAY(opt.wind), kAny, false},
    {"density", "kg/m³", "Density of the medium.", nullptr, 1,
     [](mjModel& model) { return &model.opt.density; }, 0, false},
    {"viscosity", "Pa·s", "Viscosity of the medium.", nullptr, 1,
     [](mjModel& model) { return &model.opt.viscosity; }, 0, false},
    {"body_mass", "kg", "Masses; the first body is the world.", COUNT(nbody), 1, ARRAY(body_mass),
     0, true},
    {"body_inertia", "kg·m²", "Diagonals of the bodies' inertias.", COUNT(nbody), 3,
     ARRAY(body_inertia), 0, true},
    {"body_pos", "m", "Where a body is in its parent's frame: of a fixed body, where it stands.",
     COUNT(nbody), 3, ARRAY(body_pos), kAny, true},
    {"jnt_stiffness", "", "Of the joints' springs, N/m or N·m/rad.", COUNT(njnt), 1,
     ARRAY(jnt_stiffness), 0, false},
    {"jnt_range", "", "Limits of the joints, m or rad.", COUNT(njnt), 2, ARRAY(jnt_range), kAny,
     false},
    {"dof_damping", "", "N·s/m or N·m·s/rad.", COUNT(nv), 1, ARRAY(dof_damping), 0, false},
    {"dof_armature", "", "Inertia of the rotors, kg or kg·m².", COUNT(nv), 1, ARRAY(dof_armature),
     0, true},
    {"dof_frictionloss", "", "Dry friction, N or N·m.", COUNT(nv), 1, ARRAY(dof_frictionloss), 0,
     false},
    {"geom_friction", "", "Sliding, torsional (m) and rolling (m).", COUNT(ngeom), 3,
     ARRAY(geom_friction), 0, false},
    {"site_pos", "m", "Where a site is in its body's frame: targets, marks, sensors.", COUNT(nsite),
     3, ARRAY(site_pos), kAny, true},
    {"actuator_gear", "", "Scales length and force of each actuator.", COUNT(nu), 6,
     ARRAY(actuator_gear), kAny, true},
    {"actuator_ctrlrange", "", "What limited controls are clipped to.", COUNT(nu), 2,
     ARRAY(actuator_ctrlrange), kAny, false},
    {"actuator_forcerange", "", "What limited forces are clipped to, N or N·m.", COUNT(nu), 2,
     ARRAY(actuator_forcerange), kAny, false},
    {"actuator_gainprm", "", "Parameters of the gain; of a position servo the first is kp.",
     COUNT(nu), mjNGAIN, ARRAY(actuator_gainprm), kAny, false},
    {"actuator_biasprm", "", "Parameters of the bias; of a position servo the second is −kp.",
     COUNT(nu), mjNBIAS, ARRAY(actuator_biasprm), kAny, false},
};

#undef COUNT
#undef ARRAY

}  // namespace

size_t ModelField::size(const mjModel& model) const {
  return static_cast<size_t>(columns) * (rows == nullptr ? 1 : static_cast<size_t>((*rows)(model)));
}

std::vector<int64_t> ModelField::shape(const mjModel& model) const {
  std::vector<int64_t> shape;
  if (rows != nullptr) shape.push_back((*rows)(model));
  if (columns > 1) shape.push_back(columns);
  return shape;
}

absl::Span<const mjtNum> ModelField::Read(const mjModel& model) const {
  // The accessor only forms the address.
  return {(*values)(const_cast<mjModel&>(model)), size(model)};
}

absl::Span<const ModelField> ModelFields() { return kFields; }

const ModelField* FindModelField(absl::string_view name) {
  const auto found = std::find_if(std::begin(kFields), std::end(kFields),
                                  [&](const ModelField& field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

std::vector<absl::Span<mjtNum>> ModelOverrides::FloatArrays(mjModel& model) {
  std::vector<absl::Span<mjtNum>> arrays;
  const auto add = [&](auto* values, size_t count) {
    if constexpr (std::is_same_v<decltype(values), mjtNum*>) {
      arrays.push_back(absl::MakeSpan(values, count));
    }
  };
#define X(type, name, rows, columns) \
  add(model.name, static_cast<size_t>(model.rows) * static_cast<size_t>(columns));
#undef MJ_M
#define MJ_M(name) model.name
  MJMODEL_POINTERS
#undef X
#define X(type, name, count) add(&model.opt.name, 1);
#define XVEC(type, name, count) add(model.opt.name, count);
  MJOPTION_FIELDS
#undef X
#undef XVEC
#define X(name, count) add(&model.stat.name, 1);
#define XVEC(name, count) add(model.stat.name, count);
  MJSTATISTIC_FIELDS
#undef X
#undef XVEC
  return arrays;
}

ModelOverrides::ModelOverrides(Values values, const mjModel& base, mjModel& changed)
    : values_(std::move(values)) {
  const auto before = FloatArrays(const_cast<mjModel&>(base));  // read alone
  const auto after = FloatArrays(changed);
  for (size_t index = 0; index < after.size(); ++index) {
    if (!std::equal(after[index].begin(), after[index].end(), before[index].begin())) {
      arrays_.push_back({index, {after[index].begin(), after[index].end()}});
    }
  }
}

bool ModelOverrides::finite() const {
  return std::all_of(arrays_.begin(), arrays_.end(), [](const Array& array) {
    return std::all_of(array.values.begin(), array.values.end(),
                       [](mjtNum value) { return std::isfinite(value); });
  });
}

void ModelOverrides::Apply(absl::Span<const absl::Span<mjtNum>> arrays) const {
  for (const Array& array : arrays_)
    std::copy(array.values.begin(), array.values.end(), arrays[array.index].begin());
}

void ModelOverrides::Revert(absl::Span<const absl::Span<mjtNum>> base,
                            absl::Span<const absl::Span<mjtNum>> arrays) const {
  for (const Array& array : arrays_) {
    std::copy(base[array.index].begin(), base[array.index].end(), arrays[array.index].begin());
  }
}

}  // namespace hivewire
