#include "policy/nn/box_distribution.h"

#include <ATen/ATen.h>

#include <cmath>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr double kEdge = 0x1p-24;

at::Tensor TensorOf(absl::Span<const float> values) {
  return at::tensor(at::ArrayRef<float>(values.data(), values.size()));
}

}  // namespace

absl::Status CheckBox(absl::string_view type, const ActionSpace& action, bool fills_the_box) {
  if (action.discrete()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "distribution.type is \"", type, "\", but the env takes ",
        action.dim() == 1 ? "one of " : absl::StrCat(action.dim(), " choices, each one of "),
        action.cardinality(), "; ", action.dim() == 1 ? "categorical" : "multi-categorical",
        " fits"));
  }
  if (fills_the_box && !action.bounded()) {
    return absl::InvalidArgumentError(
        absl::StrCat("distribution.type is \"", type,
                     "\", which fills the action's box, but that has no end; gaussian fits"));
  }
  return absl::OkStatus();
}

UnitBox::UnitBox(const ActionSpace& action)
    : low_(TensorOf(action.low())), range_(TensorOf(action.high()) - low_) {
  for (size_t i = 0; i < action.low().size(); ++i) {
    log_volume_ += std::log(double{action.high()[i]} - double{action.low()[i]});
  }
}

at::Tensor UnitBox::LogRanges(at::Device device) const { return range_.log().to(device); }

at::Tensor UnitBox::ToBox(const at::Tensor& unit) const {
  return at::clamp(unit, kEdge, 1 - kEdge) * range_.to(unit.device()) + low_.to(unit.device());
}

at::Tensor UnitBox::ToUnit(const at::Tensor& actions) const {
  return at::clamp((actions - low_.to(actions.device())) / range_.to(actions.device()), kEdge,
                   1 - kEdge);
}

}  // namespace hivewire
