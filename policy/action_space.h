// The actions of an env as a policy sees them: a box of floats, or one or more choices of a few.
//
// A plain value.
#ifndef HIVEWIRE_POLICY_ACTION_SPACE_H_
#define HIVEWIRE_POLICY_ACTION_SPACE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"
#include "hivewire/v1/types.pb.h"

namespace hivewire {

class ActionSpace {
 public:
  // UNIMPLEMENTED for an env whose action is not one leaf, naming its leaves. `dtype` is the one
  // that is sent.
  static absl::StatusOr<ActionSpace> FromSpec(const v1::EnvSpec& spec, v1::DType dtype);

  // A box of `low.size()` elements, sent as float32.
  static ActionSpace Box(std::vector<float> low, std::vector<float> high);
  // start … start + cardinality − 1, sent as int64.
  static ActionSpace Discrete(int64_t cardinality, int64_t start = 0);
  // `choices` such numbers.
  static ActionSpace MultiDiscrete(int64_t choices, int64_t cardinality, int64_t start = 0);

  bool discrete() const { return cardinality_ > 0; }
  int64_t cardinality() const { return cardinality_; }
  // Elements of one action: its numbers, or how many choices it makes at once.
  int64_t dim() const { return discrete() ? choices_ : static_cast<int64_t>(low_.size()); }
  size_t row_bytes() const;

  // Of a box, (dim) each; infinite where there is no bound.
  absl::Span<const float> low() const { return low_; }
  absl::Span<const float> high() const { return high_; }
  // Whether both bounds of each element of the box are finite, and apart.
  bool bounded() const;

  // (rows, dim) floats of any size → bytes for the env, clipped to the box if so.
  void WriteBox(absl::Span<const float> actions, bool clip, absl::Span<char> out) const;
  // (rows, dim) choices counted from 0 → bytes for the env.
  void WriteDiscrete(absl::Span<const int64_t> choices, absl::Span<char> out) const;

  // (rows, dim) numbers as the env counts them, such as a PortablePolicy gives → bytes for the env.
  void WriteNumbers(absl::Span<const double> numbers, absl::Span<char> out) const;

  // Back from bytes: (rows, dim) floats, a choice as its number from 0. INVALID_ARGUMENT for a
  // number that is not finite, or a choice that there is not.
  absl::Status Read(absl::Span<const char> actions, absl::Span<float> out) const;

 private:
  v1::DType dtype_ = v1::DTYPE_FLOAT32;
  std::vector<float> low_;
  std::vector<float> high_;
  int64_t choices_ = 0;
  int64_t cardinality_ = 0;
  int64_t start_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_ACTION_SPACE_H_
