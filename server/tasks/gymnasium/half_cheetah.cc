#include "server/tasks/gymnasium/half_cheetah.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"

namespace hivewire {
namespace {

// Task state: x before the step.
enum { kXBefore, kStateSize };
enum { kXPosition, kXVelocity, kRewardForward, kRewardCtrl };

std::vector<v1::OptionSpec> HalfCheetahOptions() {
  std::vector<v1::OptionSpec> options = MujocoOptions("half_cheetah.xml", 5);
  options.push_back(DoubleOption("forward_reward_weight", 1.0, "Reward for 1 m/s forward."));
  options.push_back(DoubleOption("ctrl_cost_weight", 0.1, "Cost of the squared controls."));
  options.push_back(NoiseOption(
      0.1, "Bound of the uniform noise on first positions, deviation of that on velocities."));
  options.push_back(ExcludePositionsOption());
  return options;
}

class HalfCheetah : public MujocoTask {
 public:
  explicit HalfCheetah(const Parameters& parameters)
      : MujocoTask(parameters),
        forward_weight_(GetDouble(parameters.options, "forward_reward_weight")),
        control_weight_(GetDouble(parameters.options, "ctrl_cost_weight")),
        noise_scale_(GetDouble(parameters.options, "reset_noise_scale")),
        skipped_(GetBool(parameters.options, "exclude_current_positions_from_observation") ? 1
                                                                                           : 0) {
    SetObservation(StateElements(*parameters.model->get(), skipped_));
    AddInfo("x_position", "m", "Where the body is.", /*in_reset=*/true);
    AddInfo("x_velocity", "m/s", "Mean of the step.");
    AddInfo(is_v4() ? "reward_run" : "reward_forward", "", "Part of the reward.");
    AddInfo("reward_ctrl", "", "Part of the reward.");
    SetCamera(4);
  }

  static absl::Status Check(const Model& model, const Options&) {
    return NeedCoordinates(model, 1, 1);
  }

  int state_size() const override { return kStateSize; }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const double x = context.simulation->data()->qpos[0];
    const double velocity = (x - context.state[kXBefore]) / dt();
    const double forward = forward_weight_ * velocity;
    const double control = ControlCost(control_weight_, action);
    Put(info, kXPosition, x);
    Put(info, kXVelocity, velocity);
    Put(info, kRewardForward, forward);
    Put(info, kRewardCtrl, -control);
    context.state[kXBefore] = x;
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
    AddNormalNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

  void Begin(TaskContext& context, LeafPointers info) const override {
    const double x = context.simulation->data()->qpos[0];
    context.state[kXBefore] = x;
    Put(info, kXPosition, x);
  }

 private:
  double forward_weight_, control_weight_, noise_scale_;
  int skipped_;
};

}  // namespace

TaskClass HalfCheetahClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<HalfCheetah>("HalfCheetah", version, HalfCheetahOptions(),
                                      std::move(library));
}

}  // namespace hivewire
