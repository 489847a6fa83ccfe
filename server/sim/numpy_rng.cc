#include "server/sim/numpy_rng.h"

#include <array>
#include <cmath>

#include "server/sim/ziggurat_tables.h"

namespace hivewire {
namespace {

using uint128 = unsigned __int128;

constexpr uint128 kMultiplier =
    (static_cast<uint128>(0x2360ed051fc65da4u) << 64) | 0x4385df649fccf645u;
constexpr double kTailStart = 3.6541528853610088;
constexpr double kInverseTailStart = 0.27366123732975828;

uint128 Join(uint64_t high, uint64_t low) { return (static_cast<uint128>(high) << 64) | low; }

// numpy's SeedSequence(seed).generate_state(4, uint64), low word first.
std::array<uint64_t, 4> SpreadSeed(uint64_t seed) {
  uint32_t hash = 0x43b0d7e5u;
  const auto hashmix = [&hash](uint32_t value) {
    value ^= hash;
    hash *= 0x931e8875u;
    value *= hash;
    return value ^ (value >> 16);
  };
  const auto mix = [](uint32_t x, uint32_t y) {
    const uint32_t result = 0xca01f9ddu * x - 0x4973f715u * y;
    return result ^ (result >> 16);
  };
  const uint32_t entropy[4] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), 0,
                               0};
  uint32_t pool[4];
  for (int k = 0; k < 4; ++k) pool[k] = hashmix(entropy[k]);
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) {
      if (from != to) pool[to] = mix(pool[to], hashmix(pool[from]));
    }
  }
  uint32_t output_hash = 0x8b51f9ddu;
  std::array<uint64_t, 4> words{};
  for (int k = 0; k < 8; ++k) {
    uint32_t value = pool[k % 4] ^ output_hash;
    output_hash *= 0x58f38dedu;
    value *= output_hash;
    value ^= value >> 16;
    words[static_cast<size_t>(k / 2)] |= static_cast<uint64_t>(value) << (32 * (k % 2));
  }
  return words;
}

}  // namespace

NumpyRng::NumpyRng(uint64_t seed) {
  const std::array<uint64_t, 4> words = SpreadSeed(seed);
  const uint128 increment = (Join(words[2], words[3]) << 1) | 1;
  uint128 state = increment;  // one step from 0
  state += Join(words[0], words[1]);
  state = state * kMultiplier + increment;
  state_.state_high = static_cast<uint64_t>(state >> 64);
  state_.state_low = static_cast<uint64_t>(state);
  state_.increment_high = static_cast<uint64_t>(increment >> 64);
  state_.increment_low = static_cast<uint64_t>(increment);
  state_.buffered_half = 0;
  state_.has_buffered_half = false;
}

uint64_t NumpyRng::NextUint64() {
  const uint128 state = Join(state_.state_high, state_.state_low) * kMultiplier +
                        Join(state_.increment_high, state_.increment_low);
  state_.state_high = static_cast<uint64_t>(state >> 64);
  state_.state_low = static_cast<uint64_t>(state);
  const uint64_t folded = state_.state_high ^ state_.state_low;
  const unsigned rotation = static_cast<unsigned>(state_.state_high >> 58);
  return (folded >> rotation) | (folded << ((64 - rotation) % 64));
}

uint32_t NumpyRng::NextUint32() {
  if (state_.has_buffered_half) {
    state_.has_buffered_half = false;
    return state_.buffered_half;
  }
  const uint64_t bits = NextUint64();
  state_.has_buffered_half = true;
  state_.buffered_half = static_cast<uint32_t>(bits >> 32);
  return static_cast<uint32_t>(bits);
}

double NumpyRng::Random() { return static_cast<double>(NextUint64() >> 11) * 0x1p-53; }

double NumpyRng::Uniform(double low, double high) { return low + (high - low) * Random(); }

double NumpyRng::StandardNormal() {
  while (true) {
    const uint64_t bits = NextUint64();
    const unsigned level = static_cast<unsigned>(bits & 0xff);
    const bool negative = (bits >> 8) & 1;
    const uint64_t magnitude = (bits >> 9) & 0x000fffffffffffffu;
    double x = static_cast<double>(magnitude) * kZigguratScale[level];
    if (negative) x = -x;
    if (magnitude < kZigguratBound[level]) return x;
    if (level == 0) {
      while (true) {
        const double xx = -kInverseTailStart * std::log1p(-Random());
        const double yy = -std::log1p(-Random());
        if (yy + yy > xx * xx) return (magnitude >> 8) & 1 ? -(kTailStart + xx) : kTailStart + xx;
      }
    }
    const double edge = (kZigguratDensity[level - 1] - kZigguratDensity[level]) * Random() +
                        kZigguratDensity[level];
    if (edge < std::exp(-0.5 * x * x)) return x;
  }
}

int64_t NumpyRng::Integers(int64_t low, int64_t high) {
  // Lemire's bounded integers, as numpy picks the width: 32 bits where the range fits, else 64.
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) - 1;
  if (range == 0) return low;
  if (range == 0xffffffffu) return static_cast<int64_t>(static_cast<uint64_t>(low) + NextUint32());
  if (range < 0xffffffffu) {
    const uint32_t count = static_cast<uint32_t>(range) + 1;
    uint64_t product = static_cast<uint64_t>(NextUint32()) * count;
    if (static_cast<uint32_t>(product) < count) {
      const uint32_t threshold = (0xffffffffu - static_cast<uint32_t>(range)) % count;
      while (static_cast<uint32_t>(product) < threshold)
        product = static_cast<uint64_t>(NextUint32()) * count;
    }
    return static_cast<int64_t>(static_cast<uint64_t>(low) + (product >> 32));
  }
  if (range == ~uint64_t{0}) return static_cast<int64_t>(static_cast<uint64_t>(low) + NextUint64());
  const uint64_t count = range + 1;
  uint128 product = static_cast<uint128>(NextUint64()) * count;
  if (static_cast<uint64_t>(product) < count) {
    const uint64_t threshold = (~uint64_t{0} - range) % count;
    while (static_cast<uint64_t>(product) < threshold)
      product = static_cast<uint128>(NextUint64()) * count;
  }
  return static_cast<int64_t>(static_cast<uint64_t>(low) + static_cast<uint64_t>(product >> 64));
}

void NumpyRng::FillUniform(double low, double high, absl::Span<double> out) {
  for (double& value : out) value = Uniform(low, high);
}

void NumpyRng::FillStandardNormal(absl::Span<double> out) {
  for (double& value : out) value = StandardNormal();
}

}  // namespace hivewire
