#include "server/tasks/robohive/model_parts.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

int CountOf(const mjModel& model, mjtObj type) {
  switch (type) {
    case mjOBJ_BODY:
      return model.nbody;
    case mjOBJ_JOINT:
      return model.njnt;
    case mjOBJ_SITE:
      return model.nsite;
    case mjOBJ_SENSOR:
      return model.nsensor;
    default:
      return model.nu;
  }
}

struct ArrayInfo {
  const char* name;
  mjtObj part;
  int columns;
  mjtNum* mjModel::*numbers;  // null for the two of other types
};

const ArrayInfo& InfoOf(ModelArray array) {
  static constexpr ArrayInfo kArrays[] = {
      {"body_pos", mjOBJ_BODY, 3, &mjModel::body_pos},
      {"body_quat", mjOBJ_BODY, 4, &mjModel::body_quat},
      {"site_pos", mjOBJ_SITE, 3, &mjModel::site_pos},
      {"site_quat", mjOBJ_SITE, 4, &mjModel::site_quat},
      {"geom_type", mjOBJ_GEOM, 1, nullptr},
      {"geom_size", mjOBJ_GEOM, 3, &mjModel::geom_size},
      {"geom_pos", mjOBJ_GEOM, 3, &mjModel::geom_pos},
      {"geom_quat", mjOBJ_GEOM, 4, &mjModel::geom_quat},
      {"geom_rgba", mjOBJ_GEOM, 4, nullptr},
  };
  return kArrays[static_cast<size_t>(array)];
}

}  // namespace

int ModelParts::Find(mjtObj type, const std::string& name) {
  const mjModel& model = *model_->get();
  const int id = mj_name2id(&model, type, name.c_str());
  if (id >= 0) return id;
  if (status_.ok()) {
    std::vector<std::string> names;
    for (int other = 0; other < CountOf(model, type); ++other) {
      const char* known = mj_id2name(&model, type, other);
      if (known != nullptr) names.emplace_back(known);
    }
    status_ = MakeError(v1::ERROR_REASON_BAD_OPTION,
                        absl::StrCat("the model ", model_->name(), " has no ", mju_type2Str(type),
                                     " \"", name, "\"", NearestHint(name, names)),
                        "options.model", name);
  }
  return 0;
}

void ModelParts::Need(bool has, const char* what) {
  if (has || !status_.ok()) return;
  status_ = MakeError(v1::ERROR_REASON_BAD_OPTION,
                      absl::StrCat("the model ", model_->name(), " does not fit this env: ", what),
                      "options.model", model_->name());
}

const char* NameOf(ModelArray array) { return InfoOf(array).name; }
mjtObj PartOf(ModelArray array) { return InfoOf(array).part; }
int ColumnsOf(ModelArray array) { return InfoOf(array).columns; }

void ReadRow(const mjModel& model, ModelArray array, int row, double* values) {
  const ArrayInfo& info = InfoOf(array);
  const size_t first = static_cast<size_t>(row) * static_cast<size_t>(info.columns);
  if (array == ModelArray::kGeomType) {
    *values = model.geom_type[first];
  } else if (array == ModelArray::kGeomRgba) {
    std::copy_n(model.geom_rgba + first, info.columns, values);
  } else {
    std::copy_n(model.*info.numbers + first, info.columns, values);
  }
}

void WriteRow(mjModel& model, ModelArray array, int row, const double* values) {
  const ArrayInfo& info = InfoOf(array);
  const size_t first = static_cast<size_t>(row) * static_cast<size_t>(info.columns);
  if (array == ModelArray::kGeomType) {
    model.geom_type[first] = static_cast<int>(*values);
  } else if (array == ModelArray::kGeomRgba) {
    std::transform(values, values + info.columns, model.geom_rgba + first,
                   [](double value) { return static_cast<float>(value); });
  } else {
    std::copy_n(values, info.columns, model.*info.numbers + first);
  }
}

}  // namespace hivewire
