#include "server/tasks/numpy_math.h"

#include <cmath>
#include <cstddef>

namespace hivewire {
namespace {

// Beyond these numpy turns to the C library, too.
constexpr float kMaxCos = 71476.0625f;
constexpr float kMaxSin = 117435.992f;

// Horner's scheme with fused steps, as numpy's vector instructions do it.
template <size_t kCount>
float Polynomial(const float (&coefficients)[kCount], float x) {
  float sum = coefficients[0];
  for (size_t i = 1; i < kCount; ++i) sum = std::fma(sum, x, coefficients[i]);
  return sum;
}

// sin(x + quarter_turns · π/2). The argument is reduced by π/2 in three parts (Cody and Waite),
// then a minimax polynomial on [−π/4, π/4] is taken, with the coefficients of numpy's float32
// functions.
float SinOfQuarters(float x, int quarter_turns) {
  const float turns = std::nearbyint(x * 0x1.45f306p-1f);
  float rest = std::fma(turns, -0x1.921fb0p+0f, x);
  rest = std::fma(turns, -0x1.5110b4p-22f, rest);
  rest = std::fma(turns, -0x1.846988p-48f, rest);
  const float square = rest * rest;
  const int quadrant = static_cast<int>(turns) + quarter_turns;
  float result;
  if (quadrant & 1) {
    result = Polynomial({0x1.98e616p-16f, -0x1.6c06dcp-10f, 0x1.55553cp-5f, -0x1.000000p-1f, 1.0f},
                        square);
  } else {
    result = Polynomial({0x1.7d3bbcp-19f, -0x1.a06bbap-13f, 0x1.11119ap-7f, -0x1.555556p-3f, 0.0f},
                        square);
    result = std::fma(result, rest, rest);
  }
  return quadrant & 2 ? -result : result;
}

}  // namespace

double NumpyPower(double x, double y) { return std::pow(x, y); }

float NumpyPower(float x, float y) { return std::pow(x, y); }

double NumpyRemainder(double x, double y) {
  const double remainder = std::fmod(x, y);
  if (remainder == 0) return std::copysign(0.0, y);
  return (y < 0) != (remainder < 0) ? remainder + y : remainder;
}

float NumpyCos(float x) { return std::abs(x) <= kMaxCos ? SinOfQuarters(x, 1) : std::cos(x); }

float NumpySin(float x) { return std::abs(x) <= kMaxSin ? SinOfQuarters(x, 0) : std::sin(x); }

}  // namespace hivewire
