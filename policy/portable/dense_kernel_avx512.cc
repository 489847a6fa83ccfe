#ifdef __x86_64__
#define HIVEWIRE_KERNEL_NAME DenseAvx512
#define HIVEWIRE_KERNEL_WIDTH 16
#define HIVEWIRE_KERNEL_ROWS 8
#define HIVEWIRE_KERNEL_TARGET __attribute__((target("avx512f")))
#include "policy/portable/dense_kernel_body.h"
#endif
