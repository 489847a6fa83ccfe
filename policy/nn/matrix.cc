#include "policy/nn/matrix.h"

// BLAS: c (m, n) = alpha op(a) (m, k) op(b) (k, n) + beta c, column-major. LibTorch exports it; its
// own wrapper is not declared for use from outside.
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace hivewire {
namespace {

// A row-major matrix is the transpose of a column-major one, so each product is written transposed.
void Multiply(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, const float* a,
              int64_t lda, const float* b, int64_t ldb, float beta, float* c) {
  const float alpha = 1;
  const int m32 = static_cast<int>(m), n32 = static_cast<int>(n), k32 = static_cast<int>(k);
  const int lda32 = static_cast<int>(lda), ldb32 = static_cast<int>(ldb);
  sgemm_(&transpose_a, &transpose_b, &m32, &n32, &k32, &alpha, a, &lda32, b, &ldb32, &beta, c,
         &m32);
}

}  // namespace

void AddTimesTransposed(const float* x, const float* w, int64_t rows, int64_t inputs,
                        int64_t outputs, float* y) {
  Multiply('T', 'N', outputs, rows, inputs, w, inputs, x, inputs, 1, y);
}

void AddTransposedTimes(const float* d_y, const float* x, int64_t rows, int64_t inputs,
                        int64_t outputs, float* d_w) {
  Multiply('N', 'T', inputs, outputs, rows, x, inputs, d_y, outputs, 1, d_w);
}

void SetTimes(const float* d_y, const float* w, int64_t rows, int64_t inputs, int64_t outputs,
              float* d_x) {
  Multiply('N', 'N', inputs, rows, outputs, w, inputs, d_y, outputs, 0, d_x);
}

}  // namespace hivewire
