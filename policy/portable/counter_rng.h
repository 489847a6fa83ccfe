// Random numbers of one step of one lane, as a function of (seed, lane, step) and of nothing else:
// neither of when the step runs nor of what runs beside it.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", 2011): a block cipher of a counter, so every (seed, lane, step) has a stream of its
// own.
//
// A plain value; one thread at a time.
#ifndef HIVEWIRE_POLICY_PORTABLE_COUNTER_RNG_H_
#define HIVEWIRE_POLICY_PORTABLE_COUNTER_RNG_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace hivewire {

// Four numbers from a counter and a key.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class CounterRng {
 public:
  CounterRng(uint64_t seed, uint32_t lane, uint64_t step)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        counter_{0, lane, static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)} {}

  // In (0, 1): a multiple of 2⁻³², plus half of that.
  double Uniform();
  // Mean 0, standard deviation 1.
  double Normal();

 private:
  const std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  size_t next_ = 4;  // of block_
  // The second of a pair of normals.
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_COUNTER_RNG_H_
