// What distributions over a box have in common.
#ifndef HIVEWIRE_POLICY_NN_BOX_DISTRIBUTION_H_
#define HIVEWIRE_POLICY_NN_BOX_DISTRIBUTION_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "policy/action_space.h"

namespace hivewire {

// INVALID_ARGUMENT where the actions are choices, or, for a distribution that fills the box, where
// the box has no end: `type` says which distribution was asked for.
absl::Status CheckBox(absl::string_view type, const ActionSpace& action, bool fills_the_box);

// A box of finite bounds and the unit interval, element by element.
class UnitBox {
 public:
  explicit UnitBox(const ActionSpace& action);

  int64_t dim() const { return low_.numel(); }
  // (rows, dim) in 0 … 1 → the box, and back; kept off 0 and 1 by 2⁻²⁴, as close as float32 comes
  // to 1: at the ends the densities of what is squashed in between are infinite.
  at::Tensor ToBox(const at::Tensor& unit) const;
  at::Tensor ToUnit(const at::Tensor& actions) const;
  // Σ log (high − low): what a density on the unit box exceeds that on the box by.
  double log_volume() const { return log_volume_; }
  // Its terms, (dim).
  at::Tensor LogRanges(at::Device device) const;

 private:
  at::Tensor low_;    // (dim)
  at::Tensor range_;  // (dim)
  double log_volume_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_BOX_DISTRIBUTION_H_
