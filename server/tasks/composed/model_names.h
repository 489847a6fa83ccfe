// Finds parts of a model by the names that an env file gives, and complains about them.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_MODEL_NAMES_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_MODEL_NAMES_H_

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"

namespace hivewire {

// INVALID_ARGUMENT (BAD_MODEL) "field: what"; the field can be taken off with FieldOf.
absl::Status FieldError(absl::string_view field, absl::string_view what);

// Id of the part of this type; FieldError with the nearest names where there is none.
absl::StatusOr<int> FindPart(const mjModel* model, mjtObj type, const std::string& name,
                             absl::string_view field);

// Ids of all parts that `names` lists; every part of the type where it lists none.
absl::StatusOr<std::vector<int>> FindParts(
    const mjModel* model, mjtObj type, const google::protobuf::RepeatedPtrField<std::string>& names,
    absl::string_view field);

// "elbow", or "joint 3" for one without a name.
std::string NameOfPart(const mjModel* model, mjtObj type, int id);

// Names of all parts of the type that have one.
std::vector<std::string> NamesOfParts(const mjModel* model, mjtObj type);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_MODEL_NAMES_H_
