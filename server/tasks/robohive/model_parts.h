// Parts of a model that a task's options name, and the arrays of a model that tasks change.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_PARTS_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_PARTS_H_

#include <mujoco/mujoco.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/sim/model.h"

namespace hivewire {

// Finds parts by name and remembers the first that is missing, so that a constructor can ask for
// many and answer for all at once. What is missing has id 0.
class ModelParts {
 public:
  explicit ModelParts(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  int Find(mjtObj type, const std::string& name);
  int Site(const std::string& name) { return Find(mjOBJ_SITE, name); }
  int Body(const std::string& name) { return Find(mjOBJ_BODY, name); }
  int Joint(const std::string& name) { return Find(mjOBJ_JOINT, name); }
  int Sensor(const std::string& name) { return Find(mjOBJ_SENSOR, name); }

  // Says that the model lacks something besides names.
  void Need(bool has, const char* what);

  // BAD_OPTION naming what is missing and what the model has instead.
  const absl::Status& status() const { return status_; }

 private:
  std::shared_ptr<const Model> model_;
  absl::Status status_;
};

// Arrays of which envs change rows, under MuJoCo's own names.
enum class ModelArray {
  kBodyPos,
  kBodyQuat,
  kSitePos,
  kSiteQuat,
  kGeomType,
  kGeomSize,
  kGeomPos,
  kGeomQuat,
  kGeomRgba,
};

// "site_pos".
const char* NameOf(ModelArray array);
mjtObj PartOf(ModelArray array);
// Numbers a row.
int ColumnsOf(ModelArray array);
void ReadRow(const mjModel& model, ModelArray array, int row, double* values);
void WriteRow(mjModel& model, ModelArray array, int row, const double* values);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_PARTS_H_
