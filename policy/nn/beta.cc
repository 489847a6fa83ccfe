#include "policy/nn/beta.h"

#include <ATen/ATen.h>

#include "policy/nn/box_distribution.h"
#include "policy/nn/float_bytes.h"

namespace hivewire {
namespace {

class Beta : public Distribution {
 public:
  explicit Beta(const ActionSpace& action) : box_(action) {}

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    const Shapes shapes = ShapesOf(inputs);
    const at::Tensor a = at::_standard_gamma(shapes.alpha.cpu(), generator);
    const at::Tensor b = at::_standard_gamma(shapes.beta.cpu(), generator);
    return box_.ToBox((a / (a + b)).to(inputs.device()));
  }

  // Of shapes that do not exceed 1 both, the ends or the whole interval would be: there the mean.
  at::Tensor Mode(const at::Tensor& inputs) const override {
    const auto [alpha, beta] = ShapesOf(inputs);
    const at::Tensor peaked = at::logical_and(alpha > 1, beta > 1);
    return box_.ToBox(at::where(peaked, (alpha - 1) / (alpha + beta - 2), alpha / (alpha + beta)));
  }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const auto [alpha, beta] = ShapesOf(inputs);
    const at::Tensor log_beta = LogBeta(alpha, beta);
    const at::Tensor log_density = LogDensities(alpha, beta, log_beta, actions);
    const at::Tensor sum = alpha + beta;
    const at::Tensor entropy = log_beta - (alpha - 1) * at::digamma(alpha) -
                               (beta - 1) * at::digamma(beta) + (sum - 2) * at::digamma(sum);
    return {log_density.sum(1) - box_.log_volume(), entropy.sum(1) + box_.log_volume()};
  }

  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const auto [alpha, beta] = ShapesOf(inputs);
    return LogDensities(alpha, beta, LogBeta(alpha, beta), actions) -
           box_.LogRanges(inputs.device());
  }

 protected:
  struct Shapes {
    at::Tensor alpha;  // (rows, dim)
    at::Tensor beta;
  };

  int64_t dim() const { return box_.dim(); }

 private:
  virtual Shapes ShapesOf(const at::Tensor& inputs) const = 0;

  // log B(α, β)
  static at::Tensor LogBeta(const at::Tensor& alpha, const at::Tensor& beta) {
    return at::lgamma(alpha) + at::lgamma(beta) - at::lgamma(alpha + beta);
  }

  // Of the elements on the unit box, (rows, dim).
  at::Tensor LogDensities(const at::Tensor& alpha, const at::Tensor& beta,
                          const at::Tensor& log_beta, const at::Tensor& actions) const {
    const at::Tensor x = box_.ToUnit(actions);
    return (alpha - 1) * x.log() + (beta - 1) * at::log1p(-x) - log_beta;
  }

  UnitBox box_;
};

class BetaByShapes : public Beta {
 public:
  using Beta::Beta;

  int64_t num_inputs() const override { return 2 * dim(); }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_BETA);
    return absl::OkStatus();
  }

 private:
  Shapes ShapesOf(const at::Tensor& inputs) const override {
    const at::Tensor shapes = at::softplus(inputs) + 1;
    return {shapes.narrow(1, 0, dim()), shapes.narrow(1, dim(), dim())};
  }
};

class BetaByMean : public Beta {
 public:
  explicit BetaByMean(const ActionSpace& action)
      : Beta(action), spread_(at::zeros({dim()}, at::kFloat).set_requires_grad(true)) {}

  int64_t num_inputs() const override { return dim(); }

  std::vector<NamedTensor> Parameters() const override { return {{"spread", spread_}}; }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_BETA);
    head.set_beta_spread(FloatBytes(Spread()));
    return absl::OkStatus();
  }

 private:
  Shapes ShapesOf(const at::Tensor& inputs) const override {
    const at::Tensor mean = at::sigmoid(inputs);
    const at::Tensor spread = Spread();
    return {mean + spread, 1 - mean + spread};
  }

  at::Tensor Spread() const { return at::softplus(spread_ + 2); }

  at::Tensor spread_;  // (dim)
};

template <typename Kind>
absl::StatusOr<std::unique_ptr<Distribution>> Make(absl::string_view type,
                                                   const ActionSpace& action) {
  absl::Status status = CheckBox(type, action, /*fills_the_box=*/true);
  if (!status.ok()) return status;
  return std::make_unique<Kind>(action);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeBeta(const v1::DistributionConfig&,
                                                       const ActionSpace& action) {
  return Make<BetaByShapes>("beta", action);
}

absl::StatusOr<std::unique_ptr<Distribution>> MakeBetaMean(const v1::DistributionConfig&,
                                                           const ActionSpace& action) {
  return Make<BetaByMean>("beta-mean", action);
}

}  // namespace hivewire
