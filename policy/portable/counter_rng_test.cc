#include "policy/portable/counter_rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hivewire {
namespace {

// Known answers of the generator's authors (Random123, philox4x32 with 10 rounds).
TEST(Philox, GivesTheKnownAnswers) {
  using Block = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRng, IsAFunctionOfSeedLaneAndStep) {
  const auto draw = [](uint64_t seed, uint32_t lane, uint64_t step) {
    CounterRng rng(seed, lane, step);
    return std::vector<double>{rng.Uniform(), rng.Normal(), rng.Uniform(), rng.Normal()};
  };
  EXPECT_EQ(draw(1, 2, 3), draw(1, 2, 3));
  EXPECT_NE(draw(1, 2, 3), draw(uint64_t{1} << 32 | 1, 2, 3));
  EXPECT_NE(draw(1, 2, 3), draw(1, 3, 3));
  EXPECT_NE(draw(1, 2, 3), draw(1, 2, uint64_t{1} << 32 | 3));
}

// The largest distance between the sample's distribution and `cdf`.
double KolmogorovSmirnov(std::vector<double> sample, double (*cdf)(double)) {
  std::sort(sample.begin(), sample.end());
  double distance = 0;
  for (size_t k = 0; k < sample.size(); ++k) {
    const double expected = cdf(sample[k]);
    const double n = static_cast<double>(sample.size());
    distance = std::max({distance, std::abs(expected - static_cast<double>(k) / n),
                         std::abs(expected - static_cast<double>(k + 1) / n)});
  }
  return distance;
}

TEST(CounterRng, FollowsItsDistributionsOverLanesAndSteps) {
  std::vector<double> uniforms, normals;
  for (uint32_t lane = 0; lane < 100; ++lane) {
    for (uint64_t step = 0; step < 500; ++step) {
      CounterRng rng(42, lane, step);
      uniforms.push_back(rng.Uniform());
      normals.push_back(rng.Normal());
      normals.push_back(rng.Normal());
    }
  }
  // The 0.1 % quantile of the distance is 1.95 / √n.
  EXPECT_LT(KolmogorovSmirnov(uniforms, [](double x) { return x; }),
            1.95 / std::sqrt(uniforms.size()));
  EXPECT_LT(
      KolmogorovSmirnov(normals, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }),
      1.95 / std::sqrt(normals.size()));
}

}  // namespace
}  // namespace hivewire
