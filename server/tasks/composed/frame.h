// Places in the world that quantities refer to: of bodies, sites and geoms, and fixed points.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_FRAME_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_FRAME_H_

#include <mujoco/mujoco.h>

#include <array>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"

namespace hivewire {

class Frame {
 public:
  // BAD_MODEL naming the field, with the nearest names for a part that the model lacks.
  static absl::StatusOr<Frame> Compile(const v1::Frame& frame, const mjModel* model,
                                       absl::string_view field);

  // (3) m. Needs Depth::kPosition, and so do the axes.
  const double* Position(const mjData* data) const;
  // (9) Rotation from the frame to the world, row-major.
  const double* Axes(const mjData* data) const;
  // (6) In the world's axes: angular, then linear. Needs Depth::kVelocity.
  void Velocity(const mjModel* model, const mjData* data, double* out) const;

 private:
  Frame() = default;

  // mjOBJ_UNKNOWN for a fixed point. mjOBJ_XBODY is a body's own frame, not its centre of mass.
  mjtObj type_ = mjOBJ_UNKNOWN;
  int id_ = -1;
  std::array<double, 3> point_ = {};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_FRAME_H_
