// RoboHive's envs, as robohive 0.7.0 has them, and older ids of theirs: arms, kitchens, hands,
// claws, quadrupeds.
//
// The robots' models come with this program, the meshes do not (see simhive.h): without them an id
// is listed, and making it says what is missing.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_H_

#include "absl/status/status.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Adds the suite's classes ("robohive.Reach", …) and ids.
absl::Status RegisterRoboHive(Registry& registry);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_H_
