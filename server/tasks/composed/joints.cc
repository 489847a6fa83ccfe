#include "server/tasks/composed/joints.h"

#include "absl/strings/str_cat.h"
#include "server/tasks/composed/model_names.h"

namespace hivewire {
namespace {

int PositionsOf(int joint_type) {
  switch (joint_type) {
    case mjJNT_FREE:
      return 7;
    case mjJNT_BALL:
      return 4;
    default:
      return 1;
  }
}

int VelocitiesOf(int joint_type) {
  switch (joint_type) {
    case mjJNT_FREE:
      return 6;
    case mjJNT_BALL:
      return 3;
    default:
      return 1;
  }
}

}  // namespace

void Addresses::Add(const std::string& name, int first, int count) {
  for (int i = 0; i < count; ++i) {
    index.push_back(first + i);
    names.push_back(count == 1 ? name : absl::StrCat(name, "[", i, "]"));
  }
}

absl::StatusOr<Addresses> PositionsOfJoints(const mjModel* model, const v1::Names& joints,
                                            absl::string_view field) {
  const auto ids = FindParts(model, mjOBJ_JOINT, joints.name(), absl::StrCat(field, ".name"));
  if (!ids.ok()) return ids.status();
  Addresses addresses;
  for (const int id : *ids)
    addresses.Add(NameOfPart(model, mjOBJ_JOINT, id), model->jnt_qposadr[id],
                  PositionsOf(model->jnt_type[id]));
  return addresses;
}

absl::StatusOr<Addresses> VelocitiesOfJoints(const mjModel* model, const v1::Names& joints,
                                             absl::string_view field) {
  const auto ids = FindParts(model, mjOBJ_JOINT, joints.name(), absl::StrCat(field, ".name"));
  if (!ids.ok()) return ids.status();
  Addresses addresses;
  for (const int id : *ids)
    addresses.Add(NameOfPart(model, mjOBJ_JOINT, id), model->jnt_dofadr[id],
                  VelocitiesOf(model->jnt_type[id]));
  return addresses;
}

}  // namespace hivewire
