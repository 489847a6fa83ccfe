// What one env changes of a shared model: the fields that may be changed, and the arrays that
// differ from the model as it was compiled.
//
// Overrides are made by a Simulation (Simulation::Override), since the engine computes some arrays
// from others (mj_setConst): that happens when they are made, and using them is a copy of a few
// arrays.
//
// Immutable after they are made, and shared: any number of lanes and threads may read them.
#ifndef HIVEWIRE_SERVER_SIM_MODEL_OVERRIDES_H_
#define HIVEWIRE_SERVER_SIM_MODEL_OVERRIDES_H_

#include <mujoco/mujoco.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// A field of mjModel (or of its options) that an env may change, under MuJoCo's own name.
struct ModelField {
  const char* name;
  const char* unit;
  const char* doc;
  int (*rows)(const mjModel& model);  // null for a field of the model as a whole
  int columns;
  mjtNum* (*values)(mjModel& model);
  double minimum;  // −∞ for none
  // Other arrays are computed from it, at the reference configuration.
  bool has_constants;

  size_t size(const mjModel& model) const;
  // Outermost dimension first; empty for a scalar.
  std::vector<int64_t> shape(const mjModel& model) const;
  absl::Span<const mjtNum> Read(const mjModel& model) const;
};

// All of them; a model may have none of what some are about.
absl::Span<const ModelField> ModelFields();
// Null for a name that is none.
const ModelField* FindModelField(absl::string_view name);

class ModelOverrides {
 public:
  // By field name; as many numbers as the field has.
  using Values = std::map<std::string, std::vector<double>, std::less<>>;

  const Values& values() const { return values_; }
  // Whether the engine found a number for all that it computes from them.
  bool finite() const;

 private:
  friend class Simulation;

  struct Array {
    size_t index;  // of FloatArrays
    std::vector<mjtNum> values;
  };

  // Every array and number of the model that the engine computes with, in one fixed order.
  static std::vector<absl::Span<mjtNum>> FloatArrays(mjModel& model);

  // The arrays of `changed` that differ from `base`.
  ModelOverrides(Values values, const mjModel& base, mjModel& changed);

  void Apply(absl::Span<const absl::Span<mjtNum>> arrays) const;
  // Puts the arrays back to what they are in `base`.
  void Revert(absl::Span<const absl::Span<mjtNum>> base,
              absl::Span<const absl::Span<mjtNum>> arrays) const;

  Values values_;
  std::vector<Array> arrays_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_MODEL_OVERRIDES_H_
