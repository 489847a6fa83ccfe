// The body of a dense kernel, to be included once for each width of vectors:
//   HIVEWIRE_KERNEL_NAME     the function's name
//   HIVEWIRE_KERNEL_WIDTH    floats of a vector
//   HIVEWIRE_KERNEL_ROWS     rows that are computed at once, so that additions overlap
//   HIVEWIRE_KERNEL_TARGET   what functions need to use such vectors
// GCC's vector types are element for element what the scalar code would be.

#include <cstddef>
#include <cstdint>

#include "policy/portable/dense_kernel.h"

namespace hivewire {
namespace {

constexpr size_t kWidth = HIVEWIRE_KERNEL_WIDTH;
constexpr size_t kVectors = kPanel / kWidth;  // of a panel

typedef float Floats __attribute__((vector_size(kWidth * sizeof(float))));
typedef uint32_t Words __attribute__((vector_size(kWidth * sizeof(uint32_t))));
// In an array of floats, at any place.
typedef float FloatsAnywhere
    __attribute__((vector_size(kWidth * sizeof(float)), aligned(alignof(float)), may_alias));

HIVEWIRE_KERNEL_TARGET inline Floats All(float value) { return Floats{} + value; }

// exp(x) − 1, for −87 ≤ x ≤ 88; NaN for NaN. With x = n ln 2 + r, |r| ≤ ½ ln 2:
//   exp(x) − 1 = 2ⁿ (exp(r) − 1) + (2ⁿ − 1),  exp(r) − 1 by its Taylor series up to r⁷
HIVEWIRE_KERNEL_TARGET inline Floats Expm1(Floats x) {
  constexpr float kLog2E = 1.44269504f;
  // ln 2 in two parts, the first with few enough bits that n · kLn2High is exact.
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRounder = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  const Floats shifted = x * kLog2E + All(kRounder);
  const Floats n = shifted - All(kRounder);
  const Floats r = (x - n * kLn2High) - n * kLn2Low;
  const Words exponent = reinterpret_cast<Words>(shifted) - reinterpret_cast<Words>(All(kRounder));
  const Floats power = reinterpret_cast<Floats>((exponent + 127) << 23);
  Floats series = All(1.0f / 5040);
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r * r + r;
  return power * series + (power - 1.0f);
}

HIVEWIRE_KERNEL_TARGET inline Floats Elu(Floats x) {
  // Comparisons with NaN are false, so it falls through to where it stays NaN.
  const Floats low = All(-87);
  const Floats bounded = x < low ? low : x;
  return x > 0 ? x : Expm1(bounded);
}

HIVEWIRE_KERNEL_TARGET inline Floats Tanh(Floats x) {
  // tanh |x| = t / (t + 2), t = exp(2 |x|) − 1; it is 1 from 9.02 on.
  const Words sign = reinterpret_cast<Words>(x) & 0x80000000u;
  const Floats size = reinterpret_cast<Floats>(reinterpret_cast<Words>(x) ^ sign);
  const Floats high = All(20);
  const Floats t = Expm1(size > 10 ? high : size * 2.0f);
  const Floats result = t / (t + 2.0f);
  return reinterpret_cast<Floats>(reinterpret_cast<Words>(result) | sign);
}

HIVEWIRE_KERNEL_TARGET inline Floats Activated(Floats x, v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_TANH:
      return Tanh(x);
    case v1::ACTIVATION_RELU:
      return x < 0 ? Floats{} : x;
    case v1::ACTIVATION_ELU:
      return Elu(x);
    default:
      return x;
  }
}

// Rows row … row + kRows − 1 of one panel.
template <size_t kRows>
HIVEWIRE_KERNEL_TARGET inline void Tile(const DenseArguments& layer, size_t panel, size_t row) {
  const float* bias = layer.bias + panel * kPanel;
  const float* weights = layer.weights + panel * layer.inputs * kPanel;
  const float* x = layer.x + row * layer.x_stride;
  Floats sums[kRows][kVectors];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v)
      sums[r][v] = *reinterpret_cast<const FloatsAnywhere*>(bias + v * kWidth);
  }
  for (size_t i = 0; i < layer.inputs; ++i) {
    Floats column[kVectors];
    for (size_t v = 0; v < kVectors; ++v)
      column[v] = *reinterpret_cast<const FloatsAnywhere*>(weights + i * kPanel + v * kWidth);
    for (size_t r = 0; r < kRows; ++r) {
      const float factor = x[r * layer.x_stride + i];
      for (size_t v = 0; v < kVectors; ++v) sums[r][v] += column[v] * factor;
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    float* y = layer.y + (row + r) * layer.y_stride + panel * kPanel;
    for (size_t v = 0; v < kVectors; ++v)
      *reinterpret_cast<FloatsAnywhere*>(y + v * kWidth) = Activated(sums[r][v], layer.activation);
  }
}

}  // namespace

HIVEWIRE_KERNEL_TARGET void HIVEWIRE_KERNEL_NAME(const DenseArguments& layer) {
  constexpr size_t kRows = HIVEWIRE_KERNEL_ROWS;
  for (size_t panel = 0; panel < layer.panels; ++panel) {
    size_t row = 0;
    for (; row + kRows <= layer.rows; row += kRows) Tile<kRows>(layer, panel, row);
    for (; row + 2 <= layer.rows; row += 2) Tile<2>(layer, panel, row);
    for (; row < layer.rows; ++row) Tile<1>(layer, panel, row);
  }
}

}  // namespace hivewire
