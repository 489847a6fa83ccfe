// Collision pairs found once for a model, instead of by the engine in every step.
//
// The engine sweeps over all bodies in each step, although contype, conaffinity, welds and excludes
// leave many models nothing to find: Gymnasium's walkers meet the floor alone, with which the
// engine tries every body anyhow. Listed as explicit pairs, with the parameters and in the order
// that the engine would give them, these lead to the same contacts and there is nothing to sweep:
// steps are equal to the last bit, and up to a tenth cheaper.
#ifndef HIVEWIRE_SERVER_SIM_COLLISION_PAIRS_H_
#define HIVEWIRE_SERVER_SIM_COLLISION_PAIRS_H_

#include <mujoco/mujoco.h>

namespace hivewire {

// `spec` was compiled to `model`. Returns the model to step instead, having deleted `model`; or
// `model` itself where there is something to sweep for (bodies that may collide with each other),
// or where it has pairs of its own, flexes, height fields, meshes or SDFs.
mjModel* WithCollisionPairs(mjSpec* spec, mjModel* model);

// Computes the pairs' parameters anew, after the geoms' were changed. Only for a model that
// WithCollisionPairs made.
void UpdateCollisionPairs(mjModel& model);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_COLLISION_PAIRS_H_
