// Rotations and angles between vectors as RoboHive computes them, operation by operation, so that
// results are equal to the last bit. Matrices are 3 × 3, row-major; quaternions w x y z.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROTATION_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROTATION_H_

namespace hivewire {

void EulerToQuaternion(const double euler[3], double quaternion[4]);
void MatrixToEuler(const double matrix[9], double euler[3]);
// The identity for a quaternion of (nearly) no length.
void QuaternionToMatrix(const double quaternion[4], double matrix[9]);
void QuaternionToEuler(const double quaternion[4], double euler[3]);
void RotateByQuaternion(const double vector[3], const double quaternion[4], double rotated[3]);

// Euclidean length.
double Norm(const double* vector, int size);
// Of the angle between two vectors; 0 where one of them has no length.
double Cosine(const double* a, const double* b, int size);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROTATION_H_
