// Where SimHive lies on this machine: the meshes and model parts that RoboHive's models include,
// one folder a repository ("franka_sim", …). It comes from repositories of its own
// (deploy/fetch_simhive.sh), not with this program.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_SIMHIVE_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_SIMHIVE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

// The folder of the repositories, absolute: the first of $HIVEWIRE_SIMHIVE, ../shared/simhive and
// ~/.robohive that holds any of them, itself or in simhive/ or robohive/simhive/ below it.
// UNIMPLEMENTED (NOT_SUPPORTED) where none does, saying where they were looked for and what fetches
// them.
absl::StatusOr<std::string> FindSimHive();

// The error for a file that is not in `folder`; `file` begins with its repository.
absl::Status MissingSimHiveFile(absl::string_view file, absl::string_view folder);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_SIMHIVE_H_
