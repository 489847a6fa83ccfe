// Products of small row-major float32 matrices, by the BLAS inside LibTorch: what a dense layer
// y = x wᵀ needs forward and backward. x is (rows, inputs), w (outputs, inputs), y (rows, outputs).
#ifndef HIVEWIRE_POLICY_NN_MATRIX_H_
#define HIVEWIRE_POLICY_NN_MATRIX_H_

#include <cstdint>

namespace hivewire {

// y += x wᵀ
void AddTimesTransposed(const float* x, const float* w, int64_t rows, int64_t inputs,
                        int64_t outputs, float* y);
// d_w += d_yᵀ x
void AddTransposedTimes(const float* d_y, const float* x, int64_t rows, int64_t inputs,
                        int64_t outputs, float* d_w);
// d_x = d_y w
void SetTimes(const float* d_y, const float* w, int64_t rows, int64_t inputs, int64_t outputs,
              float* d_x);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_MATRIX_H_
