#include "policy/nn/multi_categorical.h"

#include <ATen/ATen.h>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

class MultiCategorical : public Distribution {
 public:
  MultiCategorical(int64_t choices, int64_t cardinality)
      : choices_(choices), cardinality_(cardinality) {}

  int64_t num_inputs() const override { return choices_ * cardinality_; }

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    // The Gumbel-max trick: argmax(logits − log(−log u)); u is kept off 0.
    at::Tensor u =
        at::empty(inputs.sizes(), at::kFloat).uniform_(0, 1, generator).clamp_min_(1e-20);
    const at::Tensor gumbel = u.log_().neg_().log_().neg_();
    return ByChoice(gumbel.to(inputs.device()) + inputs).argmax(2);
  }

  at::Tensor Mode(const at::Tensor& inputs) const override { return ByChoice(inputs).argmax(2); }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor log_probs = at::log_softmax(ByChoice(inputs), 2);
    return {log_probs.gather(2, actions.unsqueeze(2)).sum({1, 2}),
            (log_probs.exp() * log_probs).sum({1, 2}).neg()};
  }

  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    return at::log_softmax(ByChoice(inputs), 2).gather(2, actions.unsqueeze(2)).squeeze(2);
  }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_MULTI_CATEGORICAL);
    for (int64_t i = 0; i < choices_; ++i) head.add_parts(static_cast<uint32_t>(cardinality_));
    return absl::OkStatus();
  }

 private:
  at::Tensor ByChoice(const at::Tensor& inputs) const {
    return inputs.reshape({inputs.size(0), choices_, cardinality_});
  }

  int64_t choices_;
  int64_t cardinality_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeMultiCategorical(const v1::DistributionConfig&,
                                                                   const ActionSpace& action) {
  if (!action.discrete()) {
    return absl::InvalidArgumentError(
        "distribution.type is \"multi-categorical\", but the env takes a box of floats; gaussian "
        "fits");
  }
  return std::make_unique<MultiCategorical>(action.dim(), action.cardinality());
}

}  // namespace hivewire
