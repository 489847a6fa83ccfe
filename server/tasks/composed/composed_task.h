// The task of every composed env.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/sim/model.h"
#include "server/tasks/composed/controls.h"
#include "server/tasks/composed/quantity.h"
#include "server/tasks/composed/start.h"
#include "server/tasks/task.h"

namespace hivewire {

class ComposedTask : public Task {
 public:
  // `entry` has `composed`, with a path to the model that can be opened. BAD_MODEL naming the field
  // ("composed.reward[1].value.distance.to.site") and what is accepted.
  static absl::StatusOr<std::shared_ptr<const Task>> Make(const v1::EnvEntry& entry);

  const v1::EnvSpec& spec() const override { return spec_; }
  std::shared_ptr<const Model> model() const override { return model_; }
  // The action and the one before it.
  int state_size() const override { return 2 * controls_.size(); }

  // Takes no options.
  absl::Status Reset(TaskContext& context, const Options& options,
                     LeafPointers info) const override;
  void Act(TaskContext& context, const Action& action) const override;
  void Advance(TaskContext& context) const override;
  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override;
  void Observe(TaskContext& context, LeafPointers observation) const override;

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

  absl::Status Compile(const v1::EnvEntry& entry);
  absl::Status CompileObservation(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileReward(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileTermination(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileInfo(const v1::ComposedEnv& env, const Setting& setting);
  absl::Status CompileCameras(const v1::ComposedEnv& env);
  absl::StatusOr<Quantity> CompileTerm(const v1::Quantity& quantity, const Setting& setting,
                                       absl::string_view field);

  Scene SceneOf(const TaskContext& context) const;
  void WriteInfo(const Scene& scene, LeafPointers info) const;

  v1::EnvSpec spec_;
  std::shared_ptr<const Model> model_;
  ControlMap controls_;
  StartState start_;
  std::vector<PlacedTerm> observation_;
  std::vector<WeightedTerm> reward_;  // info leaf k is the product of term k
  std::vector<Quantity> termination_;
  std::vector<PlacedTerm> info_;
  Depth depth_ = Depth::kState;  // what the terms of a step need
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_COMPOSED_TASK_H_
