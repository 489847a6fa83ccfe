// Arithmetic exactly as numpy's float scalars do it, for tasks that must match a Python original to
// the last bit.
#ifndef HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_
#define HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_

#include <algorithm>

namespace hivewire {

// x ** y of numpy scalars: the C library's pow, which for y = 2 is not always x · x (arrays and
// np.square do multiply). Out of line, so that no compiler simplifies it for a constant exponent.
double NumpyPower(double x, double y);
float NumpyPower(float x, float y);

// x % y: the sign of the result is that of y.
double NumpyRemainder(double x, double y);

// np.cos and np.sin of float32: numpy's own, which differ from the C library's in the last bit.
float NumpyCos(float x);
float NumpySin(float x);

// A Python number, np.float32 or np.float64 in an expression that mixes them. By the rules of
// numpy 2 the result of an operation has the wider numpy type of the two, and a Python number takes
// the type of the other side.
class NumpyScalar {
 public:
  enum class Type { kPython, kFloat32, kFloat64 };

  // Implicit, so that literals stand for Python numbers.
  NumpyScalar(double value) : NumpyScalar(value, Type::kPython) {}  // NOLINT
  NumpyScalar(double value, Type type) : type_(type), value_(Round(value, type)) {}

  Type type() const { return type_; }
  double value() const { return value_; }

  friend NumpyScalar operator+(NumpyScalar a, NumpyScalar b) {
    const Type type = std::max(a.type_, b.type_);
    return {Round(a.value_, type) + Round(b.value_, type), type};
  }
  friend NumpyScalar operator-(NumpyScalar a, NumpyScalar b) {
    const Type type = std::max(a.type_, b.type_);
    return {Round(a.value_, type) - Round(b.value_, type), type};
  }
  // Two float32 have an exact product in double, so it is rounded once, like their sum.
  friend NumpyScalar operator*(NumpyScalar a, NumpyScalar b) {
    const Type type = std::max(a.type_, b.type_);
    return {Round(a.value_, type) * Round(b.value_, type), type};
  }
  friend bool operator<(NumpyScalar a, NumpyScalar b) {
    const Type type = std::max(a.type_, b.type_);
    return Round(a.value_, type) < Round(b.value_, type);
  }
  friend bool operator>(NumpyScalar a, NumpyScalar b) { return b < a; }
  friend bool operator==(NumpyScalar a, NumpyScalar b) { return !(a < b) && !(b < a); }

 private:
  static double Round(double value, Type type) {
    return type == Type::kFloat32 ? static_cast<float>(value) : value;
  }

  Type type_;
  double value_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_NUMPY_MATH_H_
