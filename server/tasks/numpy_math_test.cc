// The expected values come from numpy 2.4.6.
#include "server/tasks/numpy_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hivewire {
namespace {

using Type = NumpyScalar::Type;

TEST(NumpyMath, APowerOfTwoIsNotAlwaysAProduct) {
  const double x = -0x1.7082b478d54dcp+0;
  EXPECT_EQ(NumpyPower(x, 2.0), 0x1.093c04cb97993p+1);
  EXPECT_NE(NumpyPower(x, 2.0), x * x);
}

TEST(NumpyMath, ARemainderHasTheSignOfTheDivisor) {
  EXPECT_EQ(NumpyRemainder(-7.5, 2), 0.5);
  EXPECT_EQ(NumpyRemainder(7.5, -2), -0.5);
  EXPECT_FALSE(std::signbit(NumpyRemainder(-4, 2)));
}

TEST(NumpyMath, Float32SineAndCosineAreNumpys) {
  EXPECT_EQ(NumpyCos(0.05f), 0x1.ff5c320000000p-1f);
  EXPECT_EQ(NumpySin(0.05f), 0x1.996dea0000000p-5f);
  EXPECT_EQ(NumpyCos(2.5f), -0x1.9a2f7e0000000p-1f);
  EXPECT_EQ(NumpySin(2.5f), 0x1.326af20000000p-1f);
  EXPECT_EQ(NumpyCos(-40.0f), -0x1.5578e80000000p-1f);
  EXPECT_EQ(NumpySin(-40.0f), -0x1.7d7f7a0000000p-1f);
  EXPECT_EQ(NumpyCos(1e6f), 0x1.df9dfa0000000p-1f);
  EXPECT_EQ(NumpySin(1e6f), -0x1.6664b20000000p-2f);
}

TEST(NumpyScalar, APythonNumberTakesTheTypeOfTheOtherSide) {
  const NumpyScalar sum = NumpyScalar(0.1, Type::kFloat32) + 0.2;
  EXPECT_EQ(sum.type(), Type::kFloat32);
  EXPECT_EQ(sum.value(), 0x1.3333340000000p-2);
  EXPECT_FALSE(NumpyScalar(0.1, Type::kFloat32) > 0.1);
  EXPECT_TRUE(NumpyScalar(0.1, Type::kFloat32) == 0.1);
}

TEST(NumpyScalar, TheWiderNumpyTypeWins) {
  const NumpyScalar sum = NumpyScalar(0.1, Type::kFloat32) + NumpyScalar(0.2, Type::kFloat64);
  EXPECT_EQ(sum.type(), Type::kFloat64);
  EXPECT_EQ(sum.value(), 0x1.3333334cccccdp-2);
  EXPECT_TRUE(NumpyScalar(0.1, Type::kFloat32) > NumpyScalar(0.1, Type::kFloat64));
}

TEST(NumpyScalar, PythonNumbersStayDouble) {
  EXPECT_EQ((NumpyScalar(0.1) + 0.2).value(), 0.1 + 0.2);
  EXPECT_EQ((NumpyScalar(0.1) * 3).type(), Type::kPython);
}

}  // namespace
}  // namespace hivewire
