// Arithmetic exactly as numpy's float scalars do it, for tasks that must match a Python original to
// the last bit.
#ifndef HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_
#define HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_

namespace hivewire {

// x ** y of numpy scalars: the C library's pow, which for y = 2 is not always x · x (arrays and
// np.square do multiply). Out of line, so that no compiler simplifies it for a constant exponent.
double NumpyPower(double x, double y);
float NumpyPower(float x, float y);

// x % y: the sign of the result is that of y.
double NumpyRemainder(double x, double y);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_
