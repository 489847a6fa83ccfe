#include "server/tasks/gymnasium/planar_walker.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"

namespace hivewire {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Interval kVelocityRange = {-10, 10};  // of observed velocities

// Task state: x before the step.
enum { kXBefore, kStateSize };
// v4 has the first two.
enum { kXPosition, kXVelocity, kZDistance, kRewardForward, kRewardCtrl, kRewardSurvive };

// What differs between the two.
struct Defaults {
  const char* name;
  const char* xml_file;
  const char* xml_file_v4;
  Interval healthy_z;      // m
  Interval healthy_angle;  // rad
  bool bounds_state;       // whether there is a healthy_state_range
  double camera_distance;  // m
};
constexpr Defaults kHopper = {
    "Hopper", "hopper.xml", "hopper.xml", {0.7, kInfinity}, {-0.2, 0.2}, true, 3};
constexpr Defaults kWalker2d = {
    "Walker2d", "walker2d_v5.xml", "walker2d.xml", {0.8, 2}, {-1, 1}, false, 4};

bool Inside(double value, Interval range) { return range.low < value && value < range.high; }

std::vector<v1::OptionSpec> WalkerOptions(const Defaults& defaults, bool is_v4) {
  std::vector<v1::OptionSpec> options =
      MujocoOptions(is_v4 ? defaults.xml_file_v4 : defaults.xml_file, 4);
  options.push_back(DoubleOption("forward_reward_weight", 1, "Reward for 1 m/s forward."));
  options.push_back(DoubleOption("ctrl_cost_weight", 1e-3, "Cost of the squared controls."));
  options.push_back(DoubleOption("healthy_reward", 1, "Reward of a healthy step."));
  options.push_back(
      BoolOption("terminate_when_unhealthy", true, "End an episode that is not healthy."));
  if (defaults.bounds_state) {
    options.push_back(DoubleListOption("healthy_state_range", {-100, 100},
                                       "Healthy values of all coordinates but x and z."));
  }
  options.push_back(DoubleListOption(
      "healthy_z_range", {defaults.healthy_z.low, defaults.healthy_z.high}, "Healthy heights, m."));
  options.push_back(DoubleListOption("healthy_angle_range",
                                     {defaults.healthy_angle.low, defaults.healthy_angle.high},
                                     "Healthy pitch of the torso, rad."));
  options.push_back(
      NoiseOption(5e-3, "Bound of the uniform noise on first positions and velocities."));
  options.push_back(ExcludePositionsOption());
  return options;
}

class PlanarWalker : public MujocoTask {
 public:
  explicit PlanarWalker(const Parameters& parameters)
      : MujocoTask(parameters),
        forward_weight_(GetDouble(parameters.options, "forward_reward_weight")),
        control_weight_(GetDouble(parameters.options, "ctrl_cost_weight")),
        healthy_reward_(GetDouble(parameters.options, "healthy_reward")),
        noise_scale_(GetDouble(parameters.options, "reset_noise_scale")),
        healthy_z_(GetInterval(parameters.options, "healthy_z_range")),
        healthy_angle_(GetInterval(parameters.options, "healthy_angle_range")),
        bounds_state_(parameters.options.count("healthy_state_range") > 0),
        skipped_(GetBool(parameters.options, "exclude_current_positions_from_observation") ? 1 : 0),
        terminates_(GetBool(parameters.options, "terminate_when_unhealthy")) {
    const Defaults& defaults = bounds_state_ ? kHopper : kWalker2d;
    if (bounds_state_) healthy_state_ = GetInterval(parameters.options, "healthy_state_range");
    SetObservation(StateElements(*parameters.model->get(), skipped_));
    AddInfo("x_position", "m", "Where the torso is.", /*in_reset=*/true);
    AddInfo("x_velocity", "m/s", "Mean of the step.");
    if (!is_v4()) {
      AddInfo("z_distance_from_origin", "m", "Height above that of the model as it was loaded.",
              /*in_reset=*/true);
      AddInfo("reward_forward", "", "Part of the reward.");
      AddInfo("reward_ctrl", "", "Part of the reward.");
      AddInfo("reward_survive", "", "Part of the reward.");
    }
    SetCamera(defaults.camera_distance, -20, /*height=*/1.15);
  }

  static absl::Status Check(const Model& model, const Options&) {
    return NeedCoordinates(model, 3, 3);
  }

  int state_size() const override { return kStateSize; }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const double x = context.simulation->data()->qpos[0];
    const double velocity = (x - context.state[kXBefore]) / dt();
    const bool healthy = IsHealthy(*context.simulation);
    const double forward = forward_weight_ * velocity;
    const double survive = healthy || (is_v4() && terminates_) ? healthy_reward_ : 0;
    const double control = ControlCost(control_weight_, action);
    PutPosition(*context.simulation, info);
    Put(info, kXVelocity, velocity);
    if (!is_v4()) {
      Put(info, kRewardForward, forward);
      Put(info, kRewardCtrl, -control);
      Put(info, kRewardSurvive, survive);
    }
    context.state[kXBefore] = x;
    return {.reward = (forward + survive) - control, .terminated = !healthy && terminates_};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    out = std::copy(data->qpos + skipped_, data->qpos + model->nq, out);
    std::transform(data->qvel, data->qvel + model->nv, out,
                   [](double velocity) { return Clip(velocity, kVelocityRange); });
  }

 protected:
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddUniformNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

  void Begin(TaskContext& context, LeafPointers info) const override {
    PutPosition(*context.simulation, info);
    context.state[kXBefore] = context.simulation->data()->qpos[0];
  }

 private:
  void PutPosition(const Simulation& simulation, LeafPointers info) const {
    Put(info, kXPosition, simulation.data()->qpos[0]);
    if (!is_v4()) Put(info, kZDistance, simulation.data()->qpos[1] - simulation.model()->qpos0[1]);
  }

  bool IsHealthy(const Simulation& simulation) const {
    const mjModel* model = simulation.model();
    const mjData* data = simulation.data();
    if (!Inside(data->qpos[1], healthy_z_) || !Inside(data->qpos[2], healthy_angle_)) return false;
    if (!bounds_state_) return true;
    const auto inside = [this](double value) { return Inside(value, healthy_state_); };
    return std::all_of(data->qpos + 2, data->qpos + model->nq, inside) &&
           std::all_of(data->qvel, data->qvel + model->nv, inside);
  }

  double forward_weight_, control_weight_, healthy_reward_, noise_scale_;
  Interval healthy_z_, healthy_angle_;
  bool bounds_state_;
  Interval healthy_state_ = {};
  int skipped_;
  bool terminates_;
};

TaskClass WalkerClass(const Defaults& defaults, SuiteVersion version,
                      std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<PlanarWalker>(defaults.name, version,
                                       WalkerOptions(defaults, version == SuiteVersion::kV4),
                                       std::move(library));
}

}  // namespace

TaskClass HopperClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return WalkerClass(kHopper, version, std::move(library));
}

TaskClass Walker2dClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return WalkerClass(kWalker2d, version, std::move(library));
}

}  // namespace hivewire
