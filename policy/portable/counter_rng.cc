#include "policy/portable/counter_rng.h"

#include <cmath>

namespace hivewire {

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

double CounterRng::Uniform() {
  if (next_ == block_.size()) {
    block_ = Philox(counter_, key_);
    ++counter_[0];
    next_ = 0;
  }
  return (block_[next_++] + 0.5) * 0x1p-32;
}

double CounterRng::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  // Box and Muller's transform: two independent normals in polar coordinates.
  const double radius = std::sqrt(-2 * std::log(Uniform()));
  const double angle = 2 * M_PI * Uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

}  // namespace hivewire
