#include "policy/nn/deviation.h"

#include <ATen/ATen.h>

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "policy/nn/float_bytes.h"

namespace hivewire {

absl::StatusOr<Deviation> Deviation::Make(const v1::DistributionConfig& config, int64_t dim) {
  if (!std::isfinite(config.initial_log_std()) || std::abs(config.initial_log_std()) > 20) {
    return absl::InvalidArgumentError(absl::StrCat(
        "distribution.initial_log_std is ", config.initial_log_std(), "; it can be -20 … 20"));
  }
  const std::string& std = config.std();
  if (std != "free" && std != "state" && std != "fixed") {
    return absl::InvalidArgumentError(absl::StrCat("distribution.std is \"", std, "\"",
                                                   NearestHint(std, {{"free", "state", "fixed"}})));
  }
  return Deviation(dim, std == "state", std == "free", config.initial_log_std());
}

Deviation::Deviation(int64_t dim, bool by_state, bool learned, double initial_log_std)
    : dim_(dim),
      by_state_(by_state),
      learned_(learned),
      log_std_(at::full({dim}, initial_log_std, at::kFloat).set_requires_grad(learned)) {}

at::Tensor Deviation::Mean(const at::Tensor& inputs) const {
  return by_state_ ? inputs.narrow(1, 0, dim_) : inputs;
}

at::Tensor Deviation::LogStd(const at::Tensor& inputs) const {
  return by_state_ ? inputs.narrow(1, dim_, dim_) : log_std_.to(inputs.device());
}

at::Tensor Deviation::InitialBias() const {
  if (!by_state_) return {};
  return at::cat({at::zeros({dim_}, at::kFloat), log_std_});
}

std::vector<NamedTensor> Deviation::Parameters() const {
  if (!learned_) return {};
  return {{"log_std", log_std_}};
}

void Deviation::Export(v1::ActionHead& head) const {
  if (!by_state_) head.set_log_std(FloatBytes(log_std_));
}

}  // namespace hivewire
