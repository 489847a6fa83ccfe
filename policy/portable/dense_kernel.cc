#define HIVEWIRE_KERNEL_NAME DenseBaseline
#define HIVEWIRE_KERNEL_WIDTH 4
#define HIVEWIRE_KERNEL_ROWS 2
#define HIVEWIRE_KERNEL_TARGET
#include <algorithm>

#include "policy/portable/dense_kernel_body.h"

namespace hivewire {
namespace {

template <typename Function>
void Apply(float* values, size_t count, Function function) {
  size_t k = 0;
  for (; k + kWidth <= count; k += kWidth) {
    const Floats x = *reinterpret_cast<const FloatsAnywhere*>(values + k);
    *reinterpret_cast<FloatsAnywhere*>(values + k) = function(x);
  }
  Floats rest = {};
  std::copy(values + k, values + count, reinterpret_cast<float*>(&rest));
  rest = function(rest);
  std::copy_n(reinterpret_cast<const float*>(&rest), count - k, values + k);
}

}  // namespace

#ifdef __x86_64__
void DenseAvx2(const DenseArguments& layer);
void DenseAvx512(const DenseArguments& layer);
#endif

std::vector<DenseKernel> RunnableDenseKernels() {
  std::vector<DenseKernel> kernels = {DenseBaseline};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) kernels.push_back(DenseAvx2);
  if (__builtin_cpu_supports("avx512f")) kernels.push_back(DenseAvx512);
#endif
  return kernels;
}

void ApplyTanh(float* values, size_t count) { Apply(values, count, Tanh); }

void ApplyLogistic(float* values, size_t count) {
  Apply(values, count, [](Floats x) { return Tanh(x * 0.5f) * 0.5f + 0.5f; });
}

DenseKernel BestDenseKernel() { return RunnableDenseKernels().back(); }

}  // namespace hivewire
