#include "server/tasks/composed/scene.h"

namespace hivewire {

void Refresh(const mjModel* model, mjData* data, Depth depth) {
  switch (depth) {
    case Depth::kState:
      return;
    case Depth::kPosition:
      mj_kinematics(model, data);
      return;
    case Depth::kVelocity:
      mj_kinematics(model, data);
      mj_comPos(model, data);
      mj_comVel(model, data);
      return;
    case Depth::kForce:
      mj_forward(model, data);
      return;
  }
}

}  // namespace hivewire
