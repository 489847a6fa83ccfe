#include "server/tasks/composed/model_names.h"

#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

int CountOf(const mjModel* model, mjtObj type) {
  switch (type) {
    case mjOBJ_BODY:
      return model->nbody;
    case mjOBJ_JOINT:
      return model->njnt;
    case mjOBJ_GEOM:
      return model->ngeom;
    case mjOBJ_SITE:
      return model->nsite;
    case mjOBJ_CAMERA:
      return model->ncam;
    case mjOBJ_ACTUATOR:
      return model->nu;
    case mjOBJ_SENSOR:
      return model->nsensor;
    case mjOBJ_KEY:
      return model->nkey;
    default:
      return 0;
  }
}

}  // namespace

absl::Status FieldError(absl::string_view field, absl::string_view what) {
  return MakeError(v1::ERROR_REASON_BAD_MODEL, absl::StrCat(field, ": ", what), field);
}

absl::StatusOr<int> FindPart(const mjModel* model, mjtObj type, const std::string& name,
                             absl::string_view field) {
  const int id = mj_name2id(model, type, name.c_str());
  if (id >= 0) return id;
  return FieldError(field, absl::StrCat("the model has no ", mju_type2Str(type), " \"", name, "\"",
                                        NearestHint(name, NamesOfParts(model, type))));
}

absl::StatusOr<std::vector<int>> FindParts(
    const mjModel* model, mjtObj type, const google::protobuf::RepeatedPtrField<std::string>& names,
    absl::string_view field) {
  std::vector<int> ids;
  if (names.empty()) {
    ids.resize(CountOf(model, type));
    std::iota(ids.begin(), ids.end(), 0);
    if (ids.empty())
      return FieldError(field, absl::StrCat("the model has no ", mju_type2Str(type), "s"));
  }
  for (int i = 0; i < names.size(); ++i) {
    const auto id = FindPart(model, type, names[i], absl::StrCat(field, "[", i, "]"));
    if (!id.ok()) return id.status();
    ids.push_back(*id);
  }
  return ids;
}

std::string NameOfPart(const mjModel* model, mjtObj type, int id) {
  const char* name = mj_id2name(model, type, id);
  return name != nullptr ? name : absl::StrCat(mju_type2Str(type), " ", id);
}

std::vector<std::string> NamesOfParts(const mjModel* model, mjtObj type) {
  std::vector<std::string> names;
  for (int id = 0; id < CountOf(model, type); ++id) {
    if (const char* name = mj_id2name(model, type, id)) names.emplace_back(name);
  }
  return names;
}

}  // namespace hivewire
