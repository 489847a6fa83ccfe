// The action of a composed env: which controls it sets, and how it is scaled.
//
// Immutable after it is compiled.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_CONTROLS_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_CONTROLS_H_

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/config.pb.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

class ControlMap {
 public:
  // BAD_MODEL naming the field below `field`.
  static absl::StatusOr<ControlMap> Compile(const v1::Controls& controls, const mjModel* model,
                                            absl::string_view field);

  int size() const { return static_cast<int>(actuators_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  v1::LeafSpec leaf() const;

  // `action` has size() elements.
  void Apply(absl::Span<const double> action, mjData* data) const;

 private:
  std::vector<int> actuators_;
  std::vector<std::string> names_;
  // One an actuator; infinite where it has no ctrlrange.
  std::vector<double> low_, high_;
  bool normalized_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_CONTROLS_H_
