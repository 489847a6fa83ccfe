#define HIVEWIRE_KERNEL_NAME DenseBaseline
#define HIVEWIRE_KERNEL_WIDTH 4
#define HIVEWIRE_KERNEL_ROWS 2
#define HIVEWIRE_KERNEL_TARGET
#include "policy/portable/dense_kernel_body.h"

namespace hivewire {

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

DenseKernel BestDenseKernel() { return RunnableDenseKernels().back(); }

}  // namespace hivewire
