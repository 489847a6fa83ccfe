#include "server/tasks/composed/operation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/composed/model_names.h"

namespace hivewire {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// `function` takes and gives one number.
template <typename Function>
QuantityStage ElementWise(int size, const std::vector<std::string>& names, Function function) {
  return {.run = [size, function](
                     const Scene&,
                     double* values) { std::transform(values, values + size, values, function); },
          .size = size,
          .element_names = names};
}

// `function` takes the begin and end of the numbers and gives one.
template <typename Function>
QuantityStage Reduction(int size, Function function) {
  return {.run = [size, function](const Scene&,
                                  double* values) { values[0] = function(values, values + size); },
          .size = 1};
}

absl::StatusOr<QuantityStage> Apply(v1::Operation::Function function, int size,
                                    const std::vector<std::string>& names,
                                    absl::string_view field) {
  switch (function) {
    case v1::Operation::NORM:
      return Reduction(size, [](const double* begin, const double* end) {
        return std::sqrt(std::inner_product(begin, end, begin, 0.0));
      });
    case v1::Operation::SUM:
      return Reduction(size, [](const double* begin, const double* end) {
        return std::accumulate(begin, end, 0.0);
      });
    case v1::Operation::MEAN:
      return Reduction(size, [](const double* begin, const double* end) {
        return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin);
      });
    case v1::Operation::MINIMUM:
      return Reduction(size, [](const double* begin, const double* end) {
        return *std::min_element(begin, end);
      });
    case v1::Operation::MAXIMUM:
      return Reduction(size, [](const double* begin, const double* end) {
        return *std::max_element(begin, end);
      });
    case v1::Operation::SQUARE:
      return ElementWise(size, names, [](double x) { return x * x; });
    case v1::Operation::ABSOLUTE:
      return ElementWise(size, names, [](double x) { return std::abs(x); });
    case v1::Operation::EXP:
      return ElementWise(size, names, [](double x) { return std::exp(x); });
    case v1::Operation::SIN:
      return ElementWise(size, names, [](double x) { return std::sin(x); });
    case v1::Operation::COS:
      return ElementWise(size, names, [](double x) { return std::cos(x); });
    case v1::Operation::TANH:
      return ElementWise(size, names, [](double x) { return std::tanh(x); });
    default:
      return FieldError(absl::StrCat(field, ".apply"), "is no function");
  }
}

absl::StatusOr<QuantityStage> Pick(const v1::Elements& elements, int size,
                                   const std::vector<std::string>& names, absl::string_view field) {
  const std::vector<int> index(elements.index().begin(), elements.index().end());
  if (index.empty()) return FieldError(absl::StrCat(field, ".pick"), "picks nothing");
  QuantityStage stage;
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || index[i] >= size)
      return FieldError(absl::StrCat(field, ".pick.index[", i, "]"),
                        absl::StrCat(index[i], " is not in 0 … ", size - 1));
    if (!names.empty()) stage.element_names.push_back(names[index[i]]);
  }
  stage.size = static_cast<int>(index.size());
  // An element may be wanted after its place was written to, so all are set aside first.
  stage.workspace = size + stage.size;
  stage.run = [size, index](const Scene&, double* values) {
    double* picked = values + size;
    for (size_t i = 0; i < index.size(); ++i) picked[i] = values[index[i]];
    std::copy_n(picked, index.size(), values);
  };
  return stage;
}

absl::StatusOr<QuantityStage> Dot(const v1::DoubleList& list, int size, absl::string_view field) {
  if (list.values_size() != size)
    return FieldError(absl::StrCat(field, ".dot"),
                      absl::StrCat("has ", list.values_size(), " values for ", size, " elements"));
  return Reduction(size,
                   [weights = std::vector<double>(list.values().begin(), list.values().end())](
                       const double* begin, const double* end) {
                     return std::inner_product(begin, end, weights.begin(), 0.0);
                   });
}

struct Bounds {
  double low, high;
};

absl::StatusOr<Bounds> CompileRange(const v1::Range& range, absl::string_view field) {
  const Bounds bounds = {range.has_low() ? range.low() : -kInfinity,
                         range.has_high() ? range.high() : kInfinity};
  if (!range.has_low() && !range.has_high()) return FieldError(field, "has neither low nor high");
  if (!(bounds.low <= bounds.high))
    return FieldError(field, absl::StrCat("low ", bounds.low, " is above high ", bounds.high));
  return bounds;
}

}  // namespace

absl::StatusOr<QuantityStage> CompileOperation(const v1::Operation& operation, int size,
                                               const std::vector<std::string>& names,
                                               absl::string_view field) {
  switch (operation.kind_case()) {
    case v1::Operation::kApply:
      return Apply(operation.apply(), size, names, field);
    case v1::Operation::kPick:
      return Pick(operation.pick(), size, names, field);
    case v1::Operation::kScale:
      return ElementWise(size, names, [scale = operation.scale()](double x) { return scale * x; });
    case v1::Operation::kOffset:
      return ElementWise(size, names,
                         [offset = operation.offset()](double x) { return x + offset; });
    case v1::Operation::kDot:
      return Dot(operation.dot(), size, field);
    case v1::Operation::kClip: {
      const auto range = CompileRange(operation.clip(), absl::StrCat(field, ".clip"));
      if (!range.ok()) return range.status();
      return ElementWise(
          size, names, [range = *range](double x) { return std::clamp(x, range.low, range.high); });
    }
    case v1::Operation::kBelow:
      return ElementWise(size, names,
                         [limit = operation.below()](double x) { return x < limit ? 1.0 : 0.0; });
    case v1::Operation::kAbove:
      return ElementWise(size, names,
                         [limit = operation.above()](double x) { return x > limit ? 1.0 : 0.0; });
    case v1::Operation::kInside: {
      const auto range = CompileRange(operation.inside(), absl::StrCat(field, ".inside"));
      if (!range.ok()) return range.status();
      return ElementWise(size, names, [range = *range](double x) {
        return range.low <= x && x <= range.high ? 1.0 : 0.0;
      });
    }
    case v1::Operation::kOutside: {
      const auto range = CompileRange(operation.outside(), absl::StrCat(field, ".outside"));
      if (!range.ok()) return range.status();
      return ElementWise(size, names, [range = *range](double x) {
        return x < range.low || x > range.high ? 1.0 : 0.0;
      });
    }
    case v1::Operation::KIND_NOT_SET:
      break;
  }
  return FieldError(field, "has no operation");
}

}  // namespace hivewire
