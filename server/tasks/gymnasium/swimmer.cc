#include "server/tasks/gymnasium/swimmer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"

namespace hivewire {
namespace {

// Task state: where the head was before the step.
enum { kXBefore, kYBefore, kStateSize };
enum {
  kXPosition,
  kYPosition,
  kDistance,
  kXVelocity,
  kYVelocity,
  kRewardForward,
  kRewardCtrl,
  kForwardReward
};

std::vector<v1::OptionSpec> SwimmerOptions() {
  std::vector<v1::OptionSpec> options = MujocoOptions("swimmer.xml", 4);
  options.push_back(DoubleOption("forward_reward_weight", 1, "Reward for 1 m/s forward."));
  options.push_back(DoubleOption("ctrl_cost_weight", 1e-4, "Cost of the squared controls."));
  options.push_back(
      NoiseOption(0.1, "Bound of the uniform noise on first positions and velocities."));
  options.push_back(ExcludePositionsOption());
  return options;
}

class Swimmer : public MujocoTask {
 public:
  explicit Swimmer(const Parameters& parameters)
      : MujocoTask(parameters),
        forward_weight_(GetDouble(parameters.options, "forward_reward_weight")),
        control_weight_(GetDouble(parameters.options, "ctrl_cost_weight")),
        noise_scale_(GetDouble(parameters.options, "reset_noise_scale")),
        skipped_(GetBool(parameters.options, "exclude_current_positions_from_observation") ? 2
                                                                                           : 0) {
    SetObservation(StateElements(*parameters.model->get(), skipped_));
    AddInfo("x_position", "m", "Where the head is.", /*in_reset=*/true);
    AddInfo("y_position", "m", "Where the head is.", /*in_reset=*/true);
    AddInfo("distance_from_origin", "m", "Of the head.", /*in_reset=*/true);
    AddInfo("x_velocity", "m/s", "Mean of the step.");
    AddInfo("y_velocity", "m/s", "Mean of the step.");
    AddInfo(is_v4() ? "reward_fwd" : "reward_forward", "", "Part of the reward.");
    AddInfo("reward_ctrl", "", "Part of the reward.");
    if (is_v4()) AddInfo("forward_reward", "", "The same as reward_fwd.");
  }

  static absl::Status Check(const Model& model, const Options&) {
    return NeedCoordinates(model, 2, 2);
  }

  int state_size() const override { return kStateSize; }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const mjData* data = context.simulation->data();
    const double x_velocity = (data->qpos[0] - context.state[kXBefore]) / dt();
    const double y_velocity = (data->qpos[1] - context.state[kYBefore]) / dt();
    const double forward = forward_weight_ * x_velocity;
    const double control = ControlCost(control_weight_, action);
    Put(info, kXVelocity, x_velocity);
    Put(info, kYVelocity, y_velocity);
    Put(info, kRewardForward, forward);
    Put(info, kRewardCtrl, -control);
    if (is_v4()) Put(info, kForwardReward, forward);
    Begin(context, info);
    return {.reward = forward - control, .terminated = false};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    out = std::copy(data->qpos + skipped_, data->qpos + model->nq, out);
    std::copy_n(data->qvel, model->nv, out);
  }

 protected:
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddUniformNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

  // Reports the position and keeps it for the next step.
  void Begin(TaskContext& context, LeafPointers info) const override {
    const double x = context.simulation->data()->qpos[0];
    const double y = context.simulation->data()->qpos[1];
    Put(info, kXPosition, x);
    Put(info, kYPosition, y);
    Put(info, kDistance, std::sqrt(x * x + y * y));
    context.state[kXBefore] = x;
    context.state[kYBefore] = y;
  }

 private:
  double forward_weight_, control_weight_, noise_scale_;
  int skipped_;
};

}  // namespace

TaskClass SwimmerClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<Swimmer>("Swimmer", version, SwimmerOptions(), std::move(library));
}

}  // namespace hivewire
