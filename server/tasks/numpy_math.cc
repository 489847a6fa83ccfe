#include "server/tasks/numpy_math.h"

#include <cmath>

namespace hivewire {

double NumpyPower(double x, double y) { return std::pow(x, y); }

float NumpyPower(float x, float y) { return std::pow(x, y); }

double NumpyRemainder(double x, double y) {
  const double remainder = std::fmod(x, y);
  if (remainder == 0) return std::copysign(0.0, y);
  return (y < 0) != (remainder < 0) ? remainder + y : remainder;
}

}  // namespace hivewire
