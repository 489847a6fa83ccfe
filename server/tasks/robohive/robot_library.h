// The robots whose limits are built into this program, by name ("franka_reach_v0").
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_LIBRARY_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_LIBRARY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"

namespace hivewire {

// Immutable.
class RobotLibrary {
 public:
  // INVALID_ARGUMENT naming file, line and field.
  static absl::StatusOr<RobotLibrary> Create();

  // In the order of the file.
  static std::vector<std::string> Names();

  // Null for a name that is none.
  const v1::RobotConfig* Find(absl::string_view name) const;

 private:
  v1::RobotFile robots_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_LIBRARY_H_
