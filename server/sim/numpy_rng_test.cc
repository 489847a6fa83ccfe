#include "server/sim/numpy_rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hivewire {
namespace {

// Expected values were printed by numpy 2.4 and are the same in 1.26.

TEST(NumpyRng, DrawsTheDoublesOfNumpyForSmallAndLargeSeeds) {
  NumpyRng zero(0);
  EXPECT_EQ(zero.Random(), 0x1.461fd79fb3850p-1);
  EXPECT_EQ(zero.Random(), 0x1.1442f7e20b674p-2);
  NumpyRng large(1099511627783u);
  EXPECT_EQ(large.Random(), 0x1.a8dd3c4069bc4p-1);
  EXPECT_EQ(large.Random(), 0x1.056eb7267021cp-2);
}

TEST(NumpyRng, ContinuesThroughDoublesNormalsAndIntegersInOrder) {
  NumpyRng rng(123);
  EXPECT_EQ(rng.Random(), 0x1.5d5d393207e7dp-1);
  EXPECT_EQ(rng.Random(), 0x1.b8e6db72f96d0p-5);
  EXPECT_EQ(rng.Random(), 0x1.c34c097745cf4p-3);
  EXPECT_EQ(rng.StandardNormal(), 0x1.8d4275d37b3aap-3);
  EXPECT_EQ(rng.StandardNormal(), 0x1.d728812571958p-1);
  EXPECT_EQ(rng.StandardNormal(), 0x1.277a25ebb1ec3p-1);
  std::vector<int64_t> small;
  for (int k = 0; k < 8; ++k) small.push_back(rng.Integers(0, 5));
  EXPECT_EQ(small, (std::vector<int64_t>{2, 4, 2, 1, 3, 4, 4, 4}));
  EXPECT_EQ(rng.Integers(-3, int64_t{1} << 40), 564016980228);
  EXPECT_EQ(rng.Integers(-3, int64_t{1} << 40), 269341427266);
  EXPECT_EQ(rng.Uniform(-1, 2), 0x1.79047de1b9426p+0);
}

TEST(NumpyRng, StandardNormalsMatchOverTheTailAndTheEdges) {
  NumpyRng rng(9);
  double sum = 0;
  double largest = 0;
  for (int k = 0; k < 200000; ++k) {
    const double x = rng.StandardNormal();
    sum += x;
    largest = std::max(largest, std::abs(x));
  }
  EXPECT_EQ(sum, 0x1.3aeaa87b4cafep+9);
  EXPECT_EQ(largest, 0x1.2d35c6401969ap+2);  // beyond 3.65: drawn from the tail
}

TEST(NumpyRng, ASavedStateContinuesAlike) {
  NumpyRng rng(7);
  rng.NextUint32();  // leaves a buffered half
  NumpyRng copy;
  copy.set_state(rng.state());
  for (int k = 0; k < 5; ++k) {
    EXPECT_EQ(rng.NextUint32(), copy.NextUint32());
    EXPECT_EQ(rng.StandardNormal(), copy.StandardNormal());
  }
}

}  // namespace
}  // namespace hivewire
