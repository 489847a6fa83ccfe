#include "policy/nn/deviation.h"

#include <ATen/ATen.h>

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "policy/nn/float_bytes.h"
#include "policy/nn/named.h"

namespace hivewire {
namespace {

// Where a state's log-std ends: those of CleanRL's SAC.
constexpr double kLowest = -5;
constexpr double kHighest = 2;
constexpr double kMiddle = (kLowest + kHighest) / 2;
constexpr double kHalf = (kHighest - kLowest) / 2;

}  // namespace

absl::StatusOr<Deviation> Deviation::Make(const v1::DistributionConfig& config, int64_t dim) {
  const std::string& std = config.std();
  const absl::Status known = CheckName("distribution.std", std, {"free", "state", "fixed"});
  if (!known.ok()) return known;
  const double initial = config.initial_log_std();
  if (std == "state" && !(initial > kLowest && initial < kHighest)) {
    return absl::InvalidArgumentError(absl::StrCat("distribution.initial_log_std is ", initial,
                                                   "; with distribution.std \"state\" it "
                                                   "can be between ",
                                                   kLowest, " and ", kHighest));
  }
  if (!std::isfinite(initial) || std::abs(initial) > 20) {
    return absl::InvalidArgumentError(
        absl::StrCat("distribution.initial_log_std is ", initial, "; it can be -20 … 20"));
  }
  return Deviation(dim, std == "state", std == "free", initial);
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
  if (!by_state_) return log_std_.to(inputs.device());
  return ((inputs.narrow(1, dim_, dim_) - kMiddle) / kHalf).tanh() * kHalf + kMiddle;
}

at::Tensor Deviation::InitialBias() const {
  if (!by_state_) return {};
  return at::cat(
      {at::zeros({dim_}, at::kFloat), ((log_std_ - kMiddle) / kHalf).atanh() * kHalf + kMiddle});
}

std::vector<NamedTensor> Deviation::Parameters() const {
  if (!learned_) return {};
  return {{"log_std", log_std_}};
}

void Deviation::Export(v1::ActionHead& head) const {
  if (!by_state_) {
    head.set_log_std(FloatBytes(log_std_));
    return;
  }
  head.mutable_state_log_std()->set_low(kLowest);
  head.mutable_state_log_std()->set_high(kHighest);
}

}  // namespace hivewire
