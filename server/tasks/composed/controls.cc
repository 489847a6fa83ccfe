#include "server/tasks/composed/controls.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/tasks/composed/model_names.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {

absl::StatusOr<ControlMap> ControlMap::Compile(const v1::Controls& controls, const mjModel* model,
                                               absl::string_view field) {
  const auto actuators =
      FindParts(model, mjOBJ_ACTUATOR, controls.actuator(), absl::StrCat(field, ".actuator"));
  if (!actuators.ok()) return actuators.status();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ControlMap map;
  map.actuators_ = *actuators;
  map.normalized_ = controls.normalized();
  for (const int id : *actuators) {
    map.names_.push_back(NameOfPart(model, mjOBJ_ACTUATOR, id));
    const bool limited = model->actuator_ctrllimited[id];
    if (map.normalized_ && !limited)
      return FieldError(absl::StrCat(field, ".normalized"),
                        absl::StrCat("actuator \"", map.names_.back(),
                                     "\" has no ctrlrange in the MJCF to map [-1, 1] onto"));
    map.low_.push_back(limited ? model->actuator_ctrlrange[2 * id] : -kInfinity);
    map.high_.push_back(limited ? model->actuator_ctrlrange[2 * id + 1] : kInfinity);
  }
  return map;
}

v1::LeafSpec ControlMap::leaf() const {
  v1::LeafSpec leaf = MakeLeaf("action", v1::DTYPE_FLOAT32, {size()});
  if (normalized_) {
    leaf.add_low(-1);
    leaf.add_high(1);
  } else {
    // Bounds of a float32 box are float32.
    for (const double low : low_) leaf.add_low(static_cast<float>(low));
    for (const double high : high_) leaf.add_high(static_cast<float>(high));
  }
  leaf.mutable_element_names()->Assign(names_.begin(), names_.end());
  return leaf;
}

void ControlMap::Apply(absl::Span<const double> action, mjData* data) const {
  for (int i = 0; i < size(); ++i) {
    data->ctrl[actuators_[i]] =
        normalized_ ? low_[i] + (std::clamp(action[i], -1.0, 1.0) + 1) / 2 * (high_[i] - low_[i])
                    : action[i];
  }
}

}  // namespace hivewire
