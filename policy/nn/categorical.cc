#include "policy/nn/categorical.h"

#include <ATen/ATen.h>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

class Categorical : public Distribution {
 public:
  explicit Categorical(int64_t cardinality) : cardinality_(cardinality) {}

  int64_t num_inputs() const override { return cardinality_; }

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    // The Gumbel-max trick: argmax(logits − log(−log u)); u is kept off 0.
    at::Tensor u =
        at::empty(inputs.sizes(), at::kFloat).uniform_(0, 1, generator).clamp_min_(1e-20);
    const at::Tensor gumbel = u.log_().neg_().log_().neg_();
    return (gumbel.to(inputs.device()) + inputs).argmax(1);
  }

  at::Tensor Mode(const at::Tensor& inputs) const override { return inputs.argmax(1); }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor log_probs = at::log_softmax(inputs, 1);
    return {log_probs.gather(1, actions.unsqueeze(1)).squeeze(1),
            (log_probs.exp() * log_probs).sum(1).neg()};
  }

  // The one choice.
  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    return Evaluate(inputs, actions).log_prob.unsqueeze(1);
  }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_CATEGORICAL);
    return absl::OkStatus();
  }

 private:
  int64_t cardinality_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeCategorical(const v1::DistributionConfig&,
                                                              const ActionSpace& action) {
  if (!action.discrete()) {
    return absl::InvalidArgumentError(
        "distribution.type is \"categorical\", but the env takes a box of floats; gaussian fits");
  }
  if (action.dim() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("distribution.type is \"categorical\", but the env takes ", action.dim(),
                     " choices at once; multi-categorical fits"));
  }
  return std::make_unique<Categorical>(action.cardinality());
}

}  // namespace hivewire
