#ifdef __x86_64__
#define HIVEWIRE_KERNEL_NAME DenseAvx2
#define HIVEWIRE_KERNEL_WIDTH 8
#define HIVEWIRE_KERNEL_ROWS 4
#define HIVEWIRE_KERNEL_TARGET __attribute__((target("avx2")))
#include "policy/portable/dense_kernel_body.h"
#endif
