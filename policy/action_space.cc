#include "policy/action_space.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hivewire {
namespace {

// A bound list is empty, one value for all, or one an element.
std::vector<float> Bounds(const google::protobuf::RepeatedField<double>& given, int64_t dim,
                          float unbounded) {
  std::vector<float> bounds(dim, unbounded);
  for (int64_t i = 0; i < dim && !given.empty(); ++i) {
    bounds[i] = static_cast<float>(given[given.size() == 1 ? 0 : static_cast<int>(i)]);
  }
  return bounds;
}

template <typename To, typename From>
void Convert(absl::Span<const From> from, From offset, absl::Span<char> out) {
  for (size_t i = 0; i < from.size(); ++i) {
    const To value = static_cast<To>(from[i] + offset);
    std::memcpy(out.data() + i * sizeof(To), &value, sizeof(To));
  }
}

template <typename T>
T Element(absl::Span<const char> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

absl::StatusOr<ActionSpace> ActionSpace::FromSpec(const v1::EnvSpec& spec, v1::DType dtype) {
  if (spec.action_size() != 1) {
    const auto name = [](std::string* out, const v1::LeafSpec& leaf) { *out += leaf.name(); };
    return absl::UnimplementedError(
        absl::StrCat(spec.id(), " takes ", spec.action_size(), " action leaves (",
                     absl::StrJoin(spec.action(), ", ", name), "); the learner drives one"));
  }
  const v1::LeafSpec& leaf = spec.action(0);
  int64_t dim = 1;
  for (const int64_t size : leaf.shape()) dim *= size;
  ActionSpace space;
  space.dtype_ = dtype == v1::DTYPE_UNSPECIFIED ? leaf.dtype() : dtype;
  if (leaf.cardinality() > 0) {
    if (space.dtype_ != v1::DTYPE_INT64 && space.dtype_ != v1::DTYPE_INT32) {
      return absl::UnimplementedError(absl::StrCat(spec.id(), ": action leaf \"", leaf.name(),
                                                   "\" is a choice of dtype ",
                                                   v1::DType_Name(space.dtype_)));
    }
    space.choices_ = dim;
    space.cardinality_ = leaf.cardinality();
    space.start_ = leaf.start();
    return space;
  }
  if (space.dtype_ != v1::DTYPE_FLOAT32 && space.dtype_ != v1::DTYPE_FLOAT64) {
    return absl::UnimplementedError(absl::StrCat(spec.id(), ": action leaf \"", leaf.name(),
                                                 "\" is neither a box of floats nor a choice"));
  }
  for (const auto* bounds : {&leaf.low(), &leaf.high()}) {
    if (bounds->size() > 1 && bounds->size() != dim) {
      return absl::InvalidArgumentError(absl::StrCat(spec.id(), ": action leaf \"", leaf.name(),
                                                     "\" has ", bounds->size(), " bounds for ", dim,
                                                     " elements"));
    }
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  space.low_ = Bounds(leaf.low(), dim, -kInfinity);
  space.high_ = Bounds(leaf.high(), dim, kInfinity);
  return space;
}

ActionSpace ActionSpace::Box(std::vector<float> low, std::vector<float> high) {
  ActionSpace space;
  space.low_ = std::move(low);
  space.high_ = std::move(high);
  return space;
}

ActionSpace ActionSpace::Discrete(int64_t cardinality, int64_t start) {
  return MultiDiscrete(1, cardinality, start);
}

ActionSpace ActionSpace::MultiDiscrete(int64_t choices, int64_t cardinality, int64_t start) {
  ActionSpace space;
  space.dtype_ = v1::DTYPE_INT64;
  space.choices_ = choices;
  space.cardinality_ = cardinality;
  space.start_ = start;
  return space;
}

bool ActionSpace::bounded() const {
  for (size_t i = 0; i < low_.size(); ++i) {
    if (!std::isfinite(low_[i]) || !std::isfinite(high_[i]) || !(low_[i] < high_[i])) return false;
  }
  return !low_.empty();
}

size_t ActionSpace::row_bytes() const {
  const bool wide = dtype_ == v1::DTYPE_FLOAT64 || dtype_ == v1::DTYPE_INT64;
  return static_cast<size_t>(dim()) * (wide ? 8 : 4);
}

void ActionSpace::WriteBox(absl::Span<const float> actions, bool clip, absl::Span<char> out) const {
  const size_t dim = low_.size();
  for (size_t row = 0; row < actions.size(); row += dim) {
    for (size_t i = 0; i < dim; ++i) {
      const float drawn = actions[row + i];
      const float action = clip ? std::clamp(drawn, low_[i], high_[i]) : drawn;
      if (dtype_ == v1::DTYPE_FLOAT32) {
        std::memcpy(out.data() + (row + i) * sizeof(float), &action, sizeof(float));
      } else {
        const double wide = action;
        std::memcpy(out.data() + (row + i) * sizeof(double), &wide, sizeof(double));
      }
    }
  }
}

void ActionSpace::WriteDiscrete(absl::Span<const int64_t> choices, absl::Span<char> out) const {
  if (dtype_ == v1::DTYPE_INT32) {
    Convert<int32_t>(choices, start_, out);
  } else {
    Convert<int64_t>(choices, start_, out);
  }
}

void ActionSpace::WriteNumbers(absl::Span<const double> numbers, absl::Span<char> out) const {
  const auto write = [&](auto element) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      element = static_cast<decltype(element)>(numbers[i]);
      std::memcpy(out.data() + i * sizeof(element), &element, sizeof(element));
    }
  };
  switch (dtype_) {
    case v1::DTYPE_FLOAT64:
      return write(double{});
    case v1::DTYPE_INT32:
      return write(int32_t{});
    case v1::DTYPE_INT64:
      return write(int64_t{});
    default:
      return write(float{});
  }
}

absl::Status ActionSpace::Read(absl::Span<const char> actions, absl::Span<float> out) const {
  for (size_t i = 0; i < out.size(); ++i) {
    if (discrete()) {
      const int64_t choice =
          dtype_ == v1::DTYPE_INT32 ? Element<int32_t>(actions, i) : Element<int64_t>(actions, i);
      if (choice < start_ || choice - start_ >= cardinality_) {
        return absl::InvalidArgumentError(absl::StrCat("action ", i, " is ", choice, "; it can be ",
                                                       start_, " … ", start_ + cardinality_ - 1));
      }
      out[i] = static_cast<float>(choice - start_);
      continue;
    }
    out[i] = dtype_ == v1::DTYPE_FLOAT32 ? Element<float>(actions, i)
                                         : static_cast<float>(Element<double>(actions, i));
    if (!std::isfinite(out[i])) {
      return absl::InvalidArgumentError(absl::StrCat("action element ", i, " is not finite"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hivewire
