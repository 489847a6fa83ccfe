#include "policy/nn/tanh_gaussian.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <utility>

#include "policy/nn/box_distribution.h"
#include "policy/nn/deviation.h"

namespace hivewire {
namespace {

const double kHalfLogTwoPi = 0.5 * std::log(2 * M_PI);

// Gauss-Hermite quadrature of 20 points: E[f(u)] of u ~ N(mean, std²) is Σ wₖ f(mean + std xₖ).
// Positive halves; nodes are symmetric.
struct Node {
  double x;
  double weight;
};

// By Newton's method on the Hermite polynomials, for weight exp(−x²/2)/√(2π).
template <size_t kHalf>
std::array<Node, kHalf> HermiteNodes() {
  constexpr int kPoints = 2 * static_cast<int>(kHalf);
  // Orthonormal probabilists' polynomials: value of degree kPoints, and of the one below.
  const auto evaluate = [](double x, double& below) {
    double previous = 0, value = 1;
    for (int n = 0; n < kPoints; ++n) {
      const double next = (x * value - std::sqrt(n) * previous) / std::sqrt(n + 1);
      previous = std::exchange(value, next);
    }
    below = previous;
    return value;
  };
  std::array<Node, kHalf> nodes;
  size_t found = 0;
  // Roots are simple and farther apart than the step.
  constexpr double kStep = 0.01;
  double below = 0;
  for (double x = 0; found < kHalf; x += kStep) {
    double low = x, high = x + kStep;
    const double at_low = evaluate(low, below);
    if (at_low * evaluate(high, below) > 0) continue;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (at_low * evaluate(middle, below) > 0 ? low : high) = middle;
    }
    evaluate(low, below);
    nodes[found++] = {low, 1 / (kPoints * below * below)};
  }
  return nodes;
}

// log(1 − tanh² u), written so that it never overflows.
at::Tensor LogSlope(const at::Tensor& u) { return (std::log(2.0) - u - at::softplus(u * -2)) * 2; }

class TanhGaussian : public Distribution {
 public:
  TanhGaussian(Deviation deviation, const ActionSpace& action)
      : deviation_(std::move(deviation)), box_(action) {}

  int64_t num_inputs() const override { return deviation_.num_inputs(); }
  at::Tensor InitialBias() const override { return deviation_.InitialBias(); }

  at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const override {
    const at::Tensor mean = deviation_.Mean(inputs);
    const at::Tensor noise = at::empty(mean.sizes(), at::kFloat).normal_(0, 1, generator);
    return Squash(mean + noise.to(mean.device()) * deviation_.LogStd(inputs).exp());
  }

  at::Tensor Mode(const at::Tensor& inputs) const override {
    return Squash(deviation_.Mean(inputs));
  }

  Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor mean = deviation_.Mean(inputs);
    const at::Tensor log_std = deviation_.LogStd(inputs);
    const at::Tensor std = log_std.exp();
    // d action / d u is half the range times the slope.
    const double constant = box_.log_volume() - static_cast<double>(box_.dim()) * std::log(2.0);
    const double gaussian = static_cast<double>(box_.dim()) * kHalfLogTwoPi;
    const at::Tensor log_prob =
        LogDensities(mean, log_std, std, actions).sum(1) - (constant + gaussian);
    at::Tensor entropy =
        (log_std + mean * 0).sum(1) + (gaussian + 0.5 * static_cast<double>(box_.dim()) + constant);
    static const auto nodes = HermiteNodes<10>();
    for (const Node& node : nodes) {
      entropy = entropy + (LogSlope(mean + std * node.x) + LogSlope(mean - std * node.x)).sum(1) *
                              node.weight;
    }
    return {log_prob, entropy};
  }

  at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const override {
    const at::Tensor log_std = deviation_.LogStd(inputs);
    const at::Tensor half_ranges = box_.LogRanges(inputs.device()) - std::log(2.0);
    return LogDensities(deviation_.Mean(inputs), log_std, log_std.exp(), actions) -
           (half_ranges + kHalfLogTwoPi);
  }

  std::vector<NamedTensor> Parameters() const override { return deviation_.Parameters(); }

  absl::Status Export(v1::ActionHead& head) const override {
    head.set_kind(v1::ActionHead::KIND_TANH_GAUSSIAN);
    deviation_.Export(head);
    return absl::OkStatus();
  }

 private:
  // Of the elements, (rows, dim), but for what is the same for all actions.
  at::Tensor LogDensities(const at::Tensor& mean, const at::Tensor& log_std, const at::Tensor& std,
                          const at::Tensor& actions) const {
    const at::Tensor x = box_.ToUnit(actions);
    // tanh⁻¹(2x − 1)
    const at::Tensor u = (x.log() - at::log1p(-x)) * 0.5;
    return ((u - mean) / std).square() * -0.5 - log_std - LogSlope(u);
  }

  at::Tensor Squash(const at::Tensor& u) const { return box_.ToBox((at::tanh(u) + 1) * 0.5); }

  Deviation deviation_;
  UnitBox box_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Distribution>> MakeTanhGaussian(const v1::DistributionConfig& config,
                                                               const ActionSpace& action) {
  absl::Status status = CheckBox("tanh-gaussian", action, /*fills_the_box=*/true);
  if (!status.ok()) return status;
  absl::StatusOr<Deviation> deviation = Deviation::Make(config, action.dim());
  if (!deviation.ok()) return deviation.status();
  return std::make_unique<TanhGaussian>(*std::move(deviation), action);
}

}  // namespace hivewire
