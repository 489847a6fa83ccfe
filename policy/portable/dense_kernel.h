// One dense layer for a few rows: y = activation(W x + b), float32.
//
// Every output is one sum over the inputs in their order, never fused and never split, so a row's
// result depends neither on the rows beside it nor on how wide the CPU's vectors are: all kernels
// give the same bits. That is what makes it safe to choose one at run time. (The activations are
// polynomials of our own for the same reason; within 2 units of the last place.)
//
// Pure functions; thread-safe.
#ifndef HIVEWIRE_POLICY_PORTABLE_DENSE_KERNEL_H_
#define HIVEWIRE_POLICY_PORTABLE_DENSE_KERNEL_H_

#include <cstddef>
#include <vector>

#include "hivewire/v1/policy.pb.h"

namespace hivewire {

// Outputs are computed this many at a time.
inline constexpr size_t kPanel = 16;

struct DenseArguments {
  const float* x = nullptr;  // (rows, inputs), each row x_stride after the one before
  size_t x_stride = 0;
  size_t rows = 0;
  size_t inputs = 0;
  // (panels, inputs, kPanel): the weights of output p · kPanel + k stand at panel p, place k.
  const float* weights = nullptr;
  const float* bias = nullptr;  // (panels, kPanel)
  size_t panels = 0;
  v1::Activation activation = v1::ACTIVATION_UNSPECIFIED;
  float* y = nullptr;  // (rows, panels · kPanel), each row y_stride after the one before
  size_t y_stride = 0;
};

using DenseKernel = void (*)(const DenseArguments&);

// The fastest that this CPU can run.
DenseKernel BestDenseKernel();
// All that it can run.
std::vector<DenseKernel> RunnableDenseKernels();

// x' = tanh(x) and x' = 1 / (1 + exp(−x)) of each, by the kernels' polynomial.
void ApplyTanh(float* values, size_t count);
void ApplyLogistic(float* values, size_t count);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_DENSE_KERNEL_H_
