#include "policy/portable/head.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"

namespace hivewire {
namespace {

constexpr float kHalfLogTwoPi = 0.918938533f;
// Choices are carried as doubles.
constexpr int64_t kLargestChoice = int64_t{1} << 52;
constexpr int64_t kMostElements = 1 << 16;

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

absl::StatusOr<size_t> ElementsOf(const std::string& field, const v1::LeafSpec& leaf) {
  int64_t elements = 1;
  for (const int64_t extent : leaf.shape()) {
    if (extent < 1 || extent > kMostElements || elements * extent > kMostElements) {
      return Bad(absl::StrCat(field, ".shape"),
                 absl::StrCat("[", absl::StrJoin(leaf.shape(), ", "), "]"),
                 absl::StrCat(" does not have 1 … ", kMostElements, " elements"));
    }
    elements *= extent;
  }
  return static_cast<size_t>(elements);
}

// A bound list is empty, one value for all, or one an element.
absl::Status AppendBounds(const std::string& field,
                          const google::protobuf::RepeatedField<double>& given, size_t elements,
                          float unbounded, std::vector<float>& bounds) {
  if (given.size() > 1 && static_cast<size_t>(given.size()) != elements) {
    return Bad(field, absl::StrCat(given.size()),
               absl::StrCat(" bounds for ", elements, " elements; give none, one or all"));
  }
  for (size_t k = 0; k < elements; ++k) {
    bounds.push_back(given.empty()
                         ? unbounded
                         : static_cast<float>(given[given.size() == 1 ? 0 : static_cast<int>(k)]));
  }
  return absl::OkStatus();
}

float Softplus(float x) { return std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x))); }

double LogGamma(double x) {
  int sign;
  return lgamma_r(x, &sign);  // std::lgamma writes a global
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Scale 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
double SampleGamma(double shape, CounterRng& rng) {
  // Γ(shape) = Γ(shape + 1) · U^(1 / shape)
  if (shape < 1) {
    const double larger = SampleGamma(shape + 1, rng);
    return larger * std::pow(rng.Uniform(), 1 / shape);
  }
  // Far more than are ever needed; a shape that is not finite must not turn this into a hang.
  constexpr int kMostTries = 1000;
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (int k = 0; k < kMostTries; ++k) {
    const double x = rng.Normal();
    const double v = 1 + c * x;
    if (v <= 0) continue;
    const double cube = v * v * v;
    if (std::log(rng.Uniform()) < 0.5 * x * x + d - d * cube + d * std::log(cube)) return d * cube;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string KindName(v1::ActionHead::Kind kind) {
  return v1::ActionHead::Kind_IsValid(kind) ? v1::ActionHead::Kind_Name(kind)
                                            : absl::StrCat(static_cast<int>(kind));
}

}  // namespace

absl::Status Head::AddBoxes(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action,
                            bool must_be_finite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (int leaf = 0; leaf < action.size(); ++leaf) {
    const v1::LeafSpec& box = action[leaf];
    const std::string field = absl::StrCat("action[", leaf, "]");
    if ((box.dtype() != v1::DTYPE_FLOAT32 && box.dtype() != v1::DTYPE_FLOAT64) ||
        box.cardinality() != 0) {
      return Bad(
          "head.kind", KindName(kind_),
          absl::StrCat(" is for boxes of floats, which action leaf \"", box.name(), "\" is not"));
    }
    const auto elements = ElementsOf(field, box);
    if (!elements.ok()) return elements.status();
    absl::Status status =
        AppendBounds(absl::StrCat(field, ".low"), box.low(), *elements, -kInfinity, low_);
    if (status.ok())
      status = AppendBounds(absl::StrCat(field, ".high"), box.high(), *elements, kInfinity, high_);
    if (!status.ok()) return status;
    for (size_t k = dim_; k < low_.size(); ++k) {
      if (!(low_[k] <= high_[k])) {
        return Bad(field, absl::StrCat(low_[k], " … ", high_[k]), " is no interval");
      }
      if (must_be_finite && !(std::isfinite(low_[k]) && std::isfinite(high_[k]) &&
                              std::isfinite(high_[k] - low_[k]) && low_[k] < high_[k])) {
        return Bad(field, absl::StrCat(low_[k], " … ", high_[k]),
                   absl::StrCat(" is no finite interval, which ", KindName(kind_), " scales to"));
      }
    }
    dim_ = low_.size();
  }
  return absl::OkStatus();
}

absl::Status Head::AddParts(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action) {
  for (int leaf = 0; leaf < action.size(); ++leaf) {
    const v1::LeafSpec& choice = action[leaf];
    const std::string field = absl::StrCat("action[", leaf, "]");
    if (choice.cardinality() < 1 || choice.dtype() == v1::DTYPE_FLOAT32 ||
        choice.dtype() == v1::DTYPE_FLOAT64) {
      return Bad("head.kind", KindName(kind_),
                 absl::StrCat(" is for choices, which action leaf \"", choice.name(), "\" is not"));
    }
    if (choice.cardinality() > kMostElements || std::abs(choice.start()) > kLargestChoice) {
      return Bad(field, absl::StrCat(choice.cardinality(), " from ", choice.start()),
                 " is more, or farther from 0, than can be chosen from");
    }
    const auto elements = ElementsOf(field, choice);
    if (!elements.ok()) return elements.status();
    parts_.insert(parts_.end(), *elements, static_cast<size_t>(choice.cardinality()));
    starts_.insert(starts_.end(), *elements, static_cast<double>(choice.start()));
  }
  dim_ = parts_.size();
  return absl::OkStatus();
}

absl::StatusOr<Head> Head::Make(const v1::ActionHead& given,
                                const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action,
                                size_t outputs) {
  Head head;
  head.kind_ = given.kind();
  if (action.empty()) return Bad("action", "0", " leaves; name what the policy acts on");
  const auto wrong_outputs = [&](const std::string& accepted) {
    return Bad("actor", absl::StrCat(outputs),
               absl::StrCat(" outputs where ", KindName(head.kind_), " needs ", accepted));
  };
  switch (given.kind()) {
    case v1::ActionHead::KIND_GAUSSIAN:
    case v1::ActionHead::KIND_TANH_GAUSSIAN:
    case v1::ActionHead::KIND_BETA: {
      const bool gaussian = given.kind() == v1::ActionHead::KIND_GAUSSIAN;
      const absl::Status status = head.AddBoxes(action, /*must_be_finite=*/!gaussian);
      if (!status.ok()) return status;
      head.clip_ = gaussian && given.clip_to_box();
      const size_t dim = head.dim_;
      if (!given.beta_spread().empty()) {
        if (given.kind() != v1::ActionHead::KIND_BETA ||
            given.beta_spread().size() != dim * sizeof(float)) {
          return Bad("head.beta_spread", absl::StrCat(given.beta_spread().size()),
                     absl::StrCat(" bytes; KIND_BETA has none, or ", dim * sizeof(float), " for ",
                                  dim, " float32, others have none"));
        }
        head.beta_spread_.resize(dim);
        std::memcpy(head.beta_spread_.data(), given.beta_spread().data(),
                    given.beta_spread().size());
        for (const float spread : head.beta_spread_) {
          if (std::isfinite(spread) && spread > 0) continue;
          return Bad("head.beta_spread", absl::StrCat(spread), " is not a number above 0");
        }
        if (outputs != dim)
          return wrong_outputs(
              absl::StrCat(dim, " (1 for each action element; beta_spread is given)"));
      }
      if (given.log_std().empty() || given.kind() == v1::ActionHead::KIND_BETA) {
        if (!given.log_std().empty()) {
          return Bad("head.log_std", absl::StrCat(given.log_std().size()),
                     " bytes; KIND_BETA has none");
        }
        if (outputs != 2 * dim && head.beta_spread_.empty())
          return wrong_outputs(absl::StrCat(2 * dim, " (2 for each action element)"));
        if (!given.has_state_log_std()) return head;
        const float low = given.state_log_std().low(), high = given.state_log_std().high();
        // Deviations of normal floats.
        if (given.kind() == v1::ActionHead::KIND_BETA ||
            !(low >= -80 && low < high && high <= 80)) {
          return Bad("head.state_log_std", absl::StrCat(low, " … ", high),
                     "; Gaussians' log-stds lie between -80 and 80, others have none");
        }
        head.state_middle_ = (low + high) / 2;
        head.state_half_ = (high - low) / 2;
        return head;
      }
      if (outputs != dim)
        return wrong_outputs(absl::StrCat(dim, " (1 for each action element; log_std is given)"));
      if (given.log_std().size() != dim * sizeof(float)) {
        return Bad("head.log_std", absl::StrCat(given.log_std().size()),
                   absl::StrCat(" bytes where ", dim, " float32 need ", dim * sizeof(float)));
      }
      head.log_std_.resize(dim);
      std::memcpy(head.log_std_.data(), given.log_std().data(), given.log_std().size());
      for (const float log_std : head.log_std_) {
        head.std_.push_back(std::exp(log_std));
        if (std::isfinite(log_std) && std::isfinite(head.std_.back()) && head.std_.back() > 0)
          continue;
        return Bad("head.log_std", absl::StrCat(log_std), " is no logarithm of a deviation");
      }
      return head;
    }
    case v1::ActionHead::KIND_CATEGORICAL:
    case v1::ActionHead::KIND_MULTI_CATEGORICAL: {
      const absl::Status status = head.AddParts(action);
      if (!status.ok()) return status;
      size_t width = 0;
      for (const size_t part : head.parts_) width += part;
      if (given.kind() == v1::ActionHead::KIND_CATEGORICAL) {
        if (head.dim_ != 1) {
          return Bad("head.kind", KindName(head.kind_),
                     absl::StrCat(" makes 1 choice where the action has ", head.dim_,
                                  "; KIND_MULTI_CATEGORICAL fits"));
        }
      } else if (!std::equal(given.parts().begin(), given.parts().end(), head.parts_.begin(),
                             head.parts_.end())) {
        return Bad("head.parts", absl::StrCat("[", absl::StrJoin(given.parts(), ", "), "]"),
                   absl::StrCat(" where the action's elements have [",
                                absl::StrJoin(head.parts_, ", "), "] choices"));
      }
      if (outputs != width) return wrong_outputs(absl::StrCat(width, " (1 for each choice)"));
      return head;
    }
    default:
      return Bad("head.kind", KindName(given.kind()),
                 " is none of gaussian (1), tanh-gaussian (2), beta (3), categorical (4) and "
                 "multi-categorical (5)");
  }
}

float Head::Choose(const float* outputs, CounterRng* rng, double* chosen, double* sent) const {
  float log_prob = 0;
  switch (kind_) {
    case v1::ActionHead::KIND_GAUSSIAN:
      return ChooseGaussian(outputs, rng, chosen, sent);
    case v1::ActionHead::KIND_TANH_GAUSSIAN:
      log_prob = ChooseTanhGaussian(outputs, rng, chosen);
      break;
    case v1::ActionHead::KIND_BETA:
      log_prob = ChooseBeta(outputs, rng, chosen);
      break;
    default:
      log_prob = ChooseCategories(outputs, rng, chosen);
  }
  std::copy_n(chosen, dim_, sent);
  return log_prob;
}

float Head::ChooseGaussian(const float* outputs, CounterRng* rng, double* chosen,
                           double* sent) const {
  float log_prob = 0;
  for (size_t k = 0; k < dim_; ++k) {
    const float mean = outputs[k];
    const float log_std = LogStd(outputs, k);
    const float std = std_.empty() ? std::exp(log_std) : std_[k];
    const float action = rng == nullptr ? mean : mean + std * static_cast<float>(rng->Normal());
    // Of the action as float32 has it, as a learner will compute it again.
    const float z = (action - mean) / std;
    log_prob -= 0.5f * z * z + log_std + kHalfLogTwoPi;
    chosen[k] = action;
    sent[k] = clip_ ? std::clamp(action, low_[k], high_[k]) : action;
  }
  return log_prob;
}

float Head::ChooseTanhGaussian(const float* outputs, CounterRng* rng, double* chosen) const {
  constexpr float kLog2 = 0.693147181f;
  float log_prob = 0;
  for (size_t k = 0; k < dim_; ++k) {
    const float mean = outputs[k];
    const float log_std = LogStd(outputs, k);
    const float std = std_.empty() ? std::exp(log_std) : std_[k];
    const float u = rng == nullptr ? mean : mean + std * static_cast<float>(rng->Normal());
    const float z = (u - mean) / std;
    const float half = 0.5f * (high_[k] - low_[k]);
    log_prob -= 0.5f * z * z + log_std + kHalfLogTwoPi;
    // d action / d u = half (1 − tanh² u), whose logarithm is written so that it never overflows.
    log_prob -= std::log(half) + 2 * (kLog2 - u - Softplus(-2 * u));
    const float action = low_[k] + half * (1 + std::tanh(u));
    chosen[k] = std::isnan(action) ? action : std::clamp(action, low_[k], high_[k]);
  }
  return log_prob;
}

Head::BetaShapes Head::ShapesOf(const float* outputs, size_t k) const {
  if (beta_spread_.empty()) return {Softplus(outputs[k]), Softplus(outputs[dim_ + k])};
  const double mean = Logistic(outputs[k]);
  return {mean + beta_spread_[k] - 1, beta_spread_[k] - mean};
}

float Head::ChooseBeta(const float* outputs, CounterRng* rng, double* chosen) const {
  // As close to 0 and 1 as a sample comes: float32 has no room for more at 1, and at the ends
  // log_prob would be infinite.
  constexpr double kEdge = 0x1p-24;
  double log_prob = 0;
  for (size_t k = 0; k < dim_; ++k) {
    const auto [alpha_less_1, beta_less_1] = ShapesOf(outputs, k);
    const double alpha = 1 + alpha_less_1;
    const double beta = 1 + beta_less_1;
    double x;
    if (rng == nullptr) {
      const bool peaked = alpha_less_1 > 0 && beta_less_1 > 0;
      x = peaked ? alpha_less_1 / (alpha_less_1 + beta_less_1) : alpha / (alpha + beta);
    } else {
      const double a = SampleGamma(alpha, *rng);
      x = a / (a + SampleGamma(beta, *rng));
    }
    if (!std::isnan(x)) x = std::clamp(x, kEdge, 1 - kEdge);
    const double range = double{high_[k]} - low_[k];
    log_prob += alpha_less_1 * std::log(x) + beta_less_1 * std::log1p(-x) + LogGamma(alpha + beta) -
                LogGamma(alpha) - LogGamma(beta) - std::log(range);
    chosen[k] = static_cast<float>(low_[k] + range * x);
  }
  return static_cast<float>(log_prob);
}

float Head::ChooseCategories(const float* logits, CounterRng* rng, double* chosen) const {
  float log_prob = 0;
  for (size_t k = 0; k < dim_; ++k) {
    const size_t width = parts_[k];
    const float largest = *std::max_element(logits, logits + width);
    float total = 0;
    for (size_t i = 0; i < width; ++i) total += std::exp(logits[i] - largest);
    size_t choice = 0;
    if (rng == nullptr) {
      choice = static_cast<size_t>(std::max_element(logits, logits + width) - logits);
    } else {
      // The first choice whose cumulated weight passes a uniform number.
      const float threshold = static_cast<float>(rng->Uniform()) * total;
      float passed = 0;
      size_t likely = 0;  // the last one with any weight: where rounding leaves nothing else
      for (choice = 0; choice < width; ++choice) {
        const float weight = std::exp(logits[choice] - largest);
        if (weight > 0) likely = choice;
        passed += weight;
        if (passed > threshold) break;
      }
      choice = choice == width ? likely : choice;
    }
    log_prob += logits[choice] - largest - std::log(total);
    chosen[k] = starts_[k] + static_cast<double>(choice);
    logits += width;
  }
  return log_prob;
}

}  // namespace hivewire
