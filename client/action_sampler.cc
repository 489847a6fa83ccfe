#include "client/action_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/elements.h"
#include "base/layout.h"

namespace hivewire {
namespace {

void AppendAs(v1::DType dtype, double value, std::string& bytes) {
  const size_t end = bytes.size();
  bytes.resize(end + SizeOf(dtype));
  WriteElements(dtype, &value, 1, bytes.data() + end);
}

// `bounds` are none, one for all elements, or one each.
double BoundOf(const google::protobuf::RepeatedField<double>& bounds, size_t element,
               double unbounded) {
  if (bounds.empty()) return unbounded;
  return bounds[bounds.size() == 1 ? 0 : static_cast<int>(element)];
}

}  // namespace

ActionSampler::ActionSampler(Kind kind, const v1::EnvSpec& spec,
                             absl::Span<const v1::LayoutLeaf> sent, uint64_t seed)
    : kind_(kind), generator_(seed) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < sent.size(); ++k) {
    const v1::LeafSpec& leaf = spec.action(static_cast<int>(k));
    Leaf& made = leaves_.emplace_back();
    made.dtype = sent[k].dtype();
    made.discrete = leaf.cardinality() > 0;
    const size_t elements = NumElements(leaf.shape());
    for (size_t element = 0; element < elements; ++element) {
      if (made.discrete) {
        made.elements.push_back({static_cast<double>(leaf.start()),
                                 static_cast<double>(leaf.start() + leaf.cardinality())});
      } else {
        made.elements.push_back(
            {BoundOf(leaf.low(), element, -kInfinity), BoundOf(leaf.high(), element, kInfinity)});
      }
    }
  }
}

double ActionSampler::Uniform() {
  constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
  return static_cast<double>(generator_() >> 11) * kUnit;
}

double ActionSampler::Draw(const Leaf& leaf, const Element& element) {
  const auto [low, high] = element;
  if (kind_ == Kind::kZero) return leaf.discrete ? low : std::min(std::max(0.0, low), high);
  if (leaf.discrete) return std::floor(low + Uniform() * (high - low));
  if (std::isfinite(low) && std::isfinite(high)) return low + Uniform() * (high - low);
  if (std::isfinite(low)) return low - std::log1p(-Uniform());
  if (std::isfinite(high)) return high + std::log1p(-Uniform());
  return std::normal_distribution<double>()(generator_);
}

void ActionSampler::Sample(int num_rows, std::string& actions) {
  actions.clear();
  for (const Leaf& leaf : leaves_) {
    for (int row = 0; row < num_rows; ++row) {
      for (const Element& element : leaf.elements)
        AppendAs(leaf.dtype, Draw(leaf, element), actions);
    }
  }
}

}  // namespace hivewire
