// A Quantity of an env file (config.proto) compiled for one model: a vector that observation,
// reward and termination terms compute from a scene.
//
// Immutable after it is compiled, so any thread may evaluate it. Evaluation does not fail and
// allocates nothing (up to kInlineWorkspace numbers on the way; more go to the heap).
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_QUANTITY_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_QUANTITY_H_

#include <mujoco/mujoco.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/tasks/composed/scene.h"

namespace hivewire {

// What quantities are compiled for.
struct Setting {
  const mjModel* model;
  // One an element of the action.
  std::vector<std::string> action_names;
};

// One step of a quantity: its source, or an operation.
struct QuantityStage {
  // Reads the scene, or changes the numbers that stages before it left at the begin of `workspace`.
  std::function<void(const Scene& scene, double* workspace)> run = {};
  int size = 0;       // numbers that it leaves
  int workspace = 0;  // numbers that it needs room for; `size` where that is more
  Depth depth = Depth::kState;
  std::vector<std::string> element_names = {};
};

class Quantity {
 public:
  // `field` is where `quantity` stands in its file. BAD_MODEL naming the field, with the nearest
  // names for a part that the model lacks.
  static absl::StatusOr<Quantity> Compile(const v1::Quantity& quantity, const Setting& setting,
                                          absl::string_view field);

  int size() const { return size_; }
  Depth depth() const { return depth_; }
  // One an element, or empty.
  const std::vector<std::string>& element_names() const { return element_names_; }

  // Writes size() numbers. The scene is computed to depth().
  void Evaluate(const Scene& scene, double* out) const;
  // The first element.
  double Value(const Scene& scene) const;
  // Whether any element is not 0.
  bool Holds(const Scene& scene) const;
  // Numbers that evaluation needs room for.
  int workspace() const { return workspace_; }
  // Like Evaluate, in room for workspace() numbers.
  void EvaluateIn(const Scene& scene, double* workspace) const;

 private:
  static constexpr int kInlineWorkspace = 256;

  void Append(QuantityStage stage);

  std::vector<std::function<void(const Scene&, double*)>> steps_;
  int size_ = 0;
  int workspace_ = 0;
  Depth depth_ = Depth::kState;
  std::vector<std::string> element_names_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_QUANTITY_H_
