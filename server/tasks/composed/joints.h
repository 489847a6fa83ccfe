// Where the numbers of joints lie in qpos and qvel.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_JOINTS_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_JOINTS_H_

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"

namespace hivewire {

// Indices into one array of mjData, and a name for each.
struct Addresses {
  std::vector<int> index;
  std::vector<std::string> names;

  // Adds `count` numbers from `first`, named "name" or "name[0]", "name[1]", …
  void Add(const std::string& name, int first, int count);
};

absl::StatusOr<Addresses> PositionsOfJoints(const mjModel* model, const v1::Names& joints,
                                            absl::string_view field);
absl::StatusOr<Addresses> VelocitiesOfJoints(const mjModel* model, const v1::Names& joints,
                                             absl::string_view field);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_JOINTS_H_
