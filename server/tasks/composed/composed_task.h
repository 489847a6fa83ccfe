// The task of every composed env.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/sim/model.h"
#include "server/tasks/composed/controls.h"
#include "server/tasks/composed/quantity.h"
#include "server/tasks/composed/start.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/robot.h"
#include "server/tasks/robohive/robot_library.h"
#include "server/tasks/task.h"

namespace hivewire {

class ComposedTask : public Task {
 public:
  // RoboHive's models and robots.
  struct Libraries {
    std::shared_ptr<RoboHiveLibrary> models;
    std::shared_ptr<const RobotLibrary> robots;
  };

  // `entry` has `composed`, with a path to the model that can be opened. BAD_MODEL naming the field
  // ("composed.reward[1].value.distance.to.site") and what is accepted.
  static absl::StatusOr<std::shared_ptr<const Task>> Make(const v1::EnvEntry& entry,
                                                          const Libraries& libraries);

  const v1::EnvSpec& spec() const override { return spec_; }
  std::shared_ptr<const Model> model() const override { return model_; }
  // The action and the one before it; whether places were drawn, and those.
  int state_size() const override {
    return 2 * num_actions() + (edits_model() ? 1 + static_cast<int>(start_.edits_size()) : 0);
  }

  // Takes no options.
  absl::Status Reset(TaskContext& context, const Options& options,
                     LeafPointers info) const override;
  void Act(TaskContext& context, const Action& action) const override;
  void Advance(TaskContext& context) const override;
  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override;
  void Observe(TaskContext& context, LeafPointers observation) const override;
  std::vector<ImageLeaf> image_leaves() const override { return images_; }
  bool edits_model() const override { return start_.edits_size() > 0; }
  void EditModel(absl::Span<const double> state, mjModel& model) const override;
  void OnSeeded(NumpyRng& rng) const override;

 private:
  // A quantity and the place that its numbers go to.
  struct PlacedTerm {
    Quantity quantity;
    int leaf;
    int offset;
  };
  struct WeightedTerm {
    Quantity quantity;
    double weight;
  };

  ComposedTask() = default;

  absl::Status Compile(const v1::EnvEntry& entry, const Libraries& libraries);
  absl::Status CompileModel(const v1::ComposedEnv& env, RoboHiveLibrary& models);
  absl::Status CompileAction(const v1::Controls& action, const RobotLibrary& robots);
  absl::Status CompileObservation(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileReward(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileTermination(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileInfo(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileCameras(const v1::ComposedEnv& env);
  absl::StatusOr<Quantity> CompileTerm(const v1::Quantity& quantity, const Setting& setting,
                                       absl::string_view field);

  int num_actions() const { return controls_.size(); }
  // Where the places that the start drew begin in the state; before them, whether there are any.
  size_t edits_begin() const { return 2 * static_cast<size_t>(num_actions()) + 1; }
  Scene SceneOf(const TaskContext& context) const;
  void WriteInfo(const Scene& scene, LeafPointers info) const;

  v1::EnvSpec spec_;
  std::shared_ptr<const Model> model_;
  ControlMap controls_;
  std::optional<Robot> robot_;  // between the action and the controls
  StartState start_;
  std::vector<PlacedTerm> observation_;
  std::vector<WeightedTerm> reward_;  // info leaf k is the product of term k
  std::vector<Quantity> termination_;
  std::vector<PlacedTerm> info_;
  std::vector<ImageLeaf> images_;
  Depth depth_ = Depth::kState;  // what the terms of a step need
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_
