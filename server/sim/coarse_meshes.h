// Meshes with less detail: what an image of few pixels does not show costs the most where OpenGL
// runs in software, which goes through every triangle. (Of Franka's 163,000 triangles 84 × 84
// pixels show a few thousand.)
//
// Vertices in one cell of a grid over the mesh become one of them: J. Rossignac, P. Borrel,
// "Multi-resolution 3D approximations for rendering complex scenes" (1993).
#ifndef HIVEWIRE_SERVER_SIM_COARSE_MESHES_H_
#define HIVEWIRE_SERVER_SIM_COARSE_MESHES_H_

#include <mujoco/mujoco.h>

namespace hivewire {

// Meshes of no more faces than this stay as they are.
inline constexpr int kFewFaces = 5000;
// Cells along the longest side of a mesh.
inline constexpr int kMeshCells = 32;

// Takes faces from the model's meshes, and changes nothing else: a copy of a model, to be uploaded.
void CoarsenMeshes(mjModel& model);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_COARSE_MESHES_H_
