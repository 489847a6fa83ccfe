// numpy's Generator(PCG64(SeedSequence(seed))), bit for bit, so that a seed starts the same episode
// here as in Gymnasium and RoboHive. Checked against numpy 1.26 and 2.4.
//
// A plain value: copy it to save it, compare it, send it. Not thread-safe.
#ifndef HIVEWIRE_SERVER_SIM_NUMPY_RNG_H_
#define HIVEWIRE_SERVER_SIM_NUMPY_RNG_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hivewire {

class NumpyRng {
 public:
  // As np.random.default_rng(seed), for any seed that fits in 64 bits.
  explicit NumpyRng(uint64_t seed = 0);

  // Next 64 raw bits (PCG64, XSL-RR).
  uint64_t NextUint64();
  // Next 32 raw bits; numpy buffers the other half of a 64-bit draw, and so does this.
  uint32_t NextUint32();

  // random(): uniform in [0, 1), 53 bits.
  double Random();
  // uniform(low, high): low + (high − low) · random().
  double Uniform(double low, double high);
  // standard_normal(), by numpy's 256-level ziggurat.
  double StandardNormal();
  // normal(loc, scale).
  double Normal(double loc, double scale) { return loc + scale * StandardNormal(); }
  // integers(low, high), dtype int64: low ≤ result < high. Needs low < high.
  int64_t Integers(int64_t low, int64_t high);

  // The same element by element, as numpy fills an array of that size.
  void FillUniform(double low, double high, absl::Span<double> out);
  void FillStandardNormal(absl::Span<double> out);

  // The whole state, for snapshots.
  struct State {
    uint64_t state_high, state_low;
    uint64_t increment_high, increment_low;
    uint32_t buffered_half;
    bool has_buffered_half;
  };
  State state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_NUMPY_RNG_H_
