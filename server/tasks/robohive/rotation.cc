#include "server/tasks/robohive/rotation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/types/span.h"
#include "server/tasks/gymnasium/numpy_sum.h"

namespace hivewire {

void EulerToQuaternion(const double euler[3], double quaternion[4]) {
  const double i = euler[2] / 2, j = -euler[1] / 2, k = euler[0] / 2;
  const double si = std::sin(i), sj = std::sin(j), sk = std::sin(k);
  const double ci = std::cos(i), cj = std::cos(j), ck = std::cos(k);
  const double cc = ci * ck, cs = ci * sk, sc = si * ck, ss = si * sk;
  quaternion[0] = cj * cc + sj * ss;
  quaternion[1] = cj * cs - sj * sc;
  quaternion[2] = -(cj * ss + sj * cc);
  quaternion[3] = cj * sc - sj * cs;
}

void MatrixToEuler(const double matrix[9], double euler[3]) {
  const double cosine = std::sqrt(matrix[8] * matrix[8] + matrix[5] * matrix[5]);
  const bool regular = cosine > 4 * std::numeric_limits<double>::epsilon();
  euler[2] = regular ? -std::atan2(matrix[1], matrix[0]) : -std::atan2(-matrix[3], matrix[4]);
  euler[1] = -std::atan2(-matrix[2], cosine);
  euler[0] = regular ? -std::atan2(matrix[5], matrix[8]) : 0;
}

void QuaternionToMatrix(const double quaternion[4], double matrix[9]) {
  const double w = quaternion[0], x = quaternion[1], y = quaternion[2], z = quaternion[3];
  const double square = w * w + x * x + y * y + z * z;
  if (!(square > std::numeric_limits<double>::epsilon())) {
    const double identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    std::copy_n(identity, 9, matrix);
    return;
  }
  const double scale = 2.0 / square;
  const double sx = x * scale, sy = y * scale, sz = z * scale;
  const double wx = w * sx, wy = w * sy, wz = w * sz;
  const double xx = x * sx, xy = x * sy, xz = x * sz;
  const double yy = y * sy, yz = y * sz, zz = z * sz;
  matrix[0] = 1.0 - (yy + zz);
  matrix[1] = xy - wz;
  matrix[2] = xz + wy;
  matrix[3] = xy + wz;
  matrix[4] = 1.0 - (xx + zz);
  matrix[5] = yz - wx;
  matrix[6] = xz - wy;
  matrix[7] = yz + wx;
  matrix[8] = 1.0 - (xx + yy);
}

void QuaternionToEuler(const double quaternion[4], double euler[3]) {
  double matrix[9];
  QuaternionToMatrix(quaternion, matrix);
  MatrixToEuler(matrix, euler);
}

void RotateByQuaternion(const double vector[3], const double quaternion[4], double rotated[3]) {
  double matrix[9];
  QuaternionToMatrix(quaternion, matrix);
  for (int row = 0; row < 3; ++row) {
    rotated[row] = matrix[3 * row] * vector[0] + matrix[3 * row + 1] * vector[1] +
                   matrix[3 * row + 2] * vector[2];
  }
}

double Norm(const double* vector, int size) {
  return std::sqrt(SumOfSquares<double>({vector, static_cast<size_t>(size)}));
}

double Cosine(const double* a, const double* b, int size) {
  const double lengths = Norm(a, size) * Norm(b, size);
  double dot = 0;
  for (int k = 0; k < size; ++k) dot += a[k] * b[k];
  return dot / (lengths == 0 ? 1 : lengths);
}

}  // namespace hivewire
