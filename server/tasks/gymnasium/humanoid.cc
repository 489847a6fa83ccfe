#include "server/tasks/gymnasium/humanoid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"
#include "server/tasks/gymnasium/numpy_sum.h"

namespace hivewire {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kRootDofs = 6;  // of the free joint, which no actuator drives

constexpr BodyPart kInertiaParts[] = {
    {"xx", "kg·m²"}, {"yy", "kg·m²"}, {"zz", "kg·m²"}, {"xy", "kg·m²"}, {"xz", "kg·m²"},
    {"yz", "kg·m²"}, {"mx", "kg·m"},  {"my", "kg·m"},  {"mz", "kg·m"},  {"mass", "kg"}};
constexpr BodyPart kVelocityParts[] = {{"wx", "rad/s"}, {"wy", "rad/s"}, {"wz", "rad/s"},
                                       {"vx", "m/s"},   {"vy", "m/s"},   {"vz", "m/s"}};
constexpr BodyPart kForceParts[] = {{"torque_x", "N·m"}, {"torque_y", "N·m"}, {"torque_z", "N·m"},
                                    {"force_x", "N"},    {"force_y", "N"},    {"force_z", "N"}};

// What v4, which has no options for it, has.
constexpr double kNoise = 1e-2;
constexpr double kStandupControlWeight = 0.1, kStandupImpactWeight = 0.5e-6;
constexpr Interval kStandupImpactRange = {-kInfinity, 10};

void AppendStartOptions(std::vector<v1::OptionSpec>& options) {
  options.push_back(
      NoiseOption(kNoise, "Bound of the uniform noise on first positions and velocities."));
  options.push_back(ExcludePositionsOption());
}

void AppendIncludeOptions(std::vector<v1::OptionSpec>& options) {
  options.push_back(
      BoolOption("include_cinert_in_observation", true, "Observe the bodies' inertia and mass."));
  options.push_back(
      BoolOption("include_cvel_in_observation", true, "Observe the bodies' velocities."));
  options.push_back(BoolOption("include_qfrc_actuator_in_observation", true,
                               "Observe the actuators' torques on the joints."));
  options.push_back(BoolOption("include_cfrc_ext_in_observation", true,
                               "Observe the contact forces on each body."));
}

std::vector<v1::OptionSpec> HumanoidOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("humanoid.xml", 5);
  options.push_back(DoubleOption("forward_reward_weight", 1.25, "Reward for 1 m/s forward."));
  options.push_back(DoubleOption("ctrl_cost_weight", 0.1, "Cost of the squared controls."));
  if (!is_v4) {
    options.push_back(DoubleOption("contact_cost_weight", 5e-7, "Cost of squared contact forces."));
    options.push_back(DoubleListOption("contact_cost_range", {-kInfinity, 10},
                                       "The cost of contact is clipped to this."));
  }
  options.push_back(DoubleOption("healthy_reward", 5, "Reward of a healthy step."));
  options.push_back(
      BoolOption("terminate_when_unhealthy", true, "End an episode that is not healthy."));
  options.push_back(DoubleListOption("healthy_z_range", {1, 2}, "Healthy heights, m."));
  AppendStartOptions(options);
  if (!is_v4) AppendIncludeOptions(options);
  return options;
}

std::vector<v1::OptionSpec> StandupOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("humanoidstandup.xml", 5);
  if (is_v4) return options;
  options.push_back(DoubleOption("uph_cost_weight", 1, "Without effect, as in the original."));
  options.push_back(
      DoubleOption("ctrl_cost_weight", kStandupControlWeight, "Cost of the squared controls."));
  options.push_back(
      DoubleOption("impact_cost_weight", kStandupImpactWeight, "Cost of squared contact forces."));
  options.push_back(DoubleListOption("impact_cost_range",
                                     {kStandupImpactRange.low, kStandupImpactRange.high},
                                     "The cost of contact is clipped to this."));
  AppendStartOptions(options);
  AppendIncludeOptions(options);
  return options;
}

// What the two have in common: the body, and how it is observed.
class HumanoidBody : public MujocoTask {
 public:
  static absl::Status Check(const Model& model, const Options&) {
    return NeedCoordinates(model, 7, kRootDofs);
  }

  void Advance(TaskContext& context) const override {
    MujocoTask::Advance(context);
    // Contact forces are not part of an engine step.
    mj_rnePostConstraint(context.simulation->model(), context.simulation->data());
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    out = std::copy(data->qpos + skipped_, data->qpos + model->nq, out);
    out = std::copy_n(data->qvel, model->nv, out);
    if (observes_inertia_)
      out = std::copy(data->cinert + 10 * first_body_, data->cinert + 10 * model->nbody, out);
    if (observes_velocity_)
      out = std::copy(data->cvel + 6 * first_body_, data->cvel + 6 * model->nbody, out);
    if (observes_actuation_)
      out = std::copy(data->qfrc_actuator + first_dof_, data->qfrc_actuator + model->nv, out);
    if (observes_forces_)
      std::copy(data->cfrc_ext + 6 * first_body_, data->cfrc_ext + 6 * model->nbody, out);
  }

 protected:
  HumanoidBody(const Parameters& parameters, absl::string_view contact_cost, double camera_height)
      : MujocoTask(parameters),
        first_body_(is_v4() ? 0 : 1),
        first_dof_(is_v4() ? 0 : kRootDofs),
        control_weight_(OptionOr(parameters.options, "ctrl_cost_weight", kStandupControlWeight)),
        contact_weight_(OptionOr(parameters.options, absl::StrCat(contact_cost, "_weight"),
                                 kStandupImpactWeight)),
        contact_range_(OptionOr(parameters.options, absl::StrCat(contact_cost, "_range"),
                                kStandupImpactRange)),
        noise_scale_(OptionOr(parameters.options, "reset_noise_scale", kNoise)),
        skipped_(OptionOr(parameters.options, "exclude_current_positions_from_observation", true)
                     ? 2
                     : 0),
        observes_inertia_(OptionOr(parameters.options, "include_cinert_in_observation", true)),
        observes_velocity_(OptionOr(parameters.options, "include_cvel_in_observation", true)),
        observes_actuation_(
            OptionOr(parameters.options, "include_qfrc_actuator_in_observation", true)),
        observes_forces_(OptionOr(parameters.options, "include_cfrc_ext_in_observation", true)) {
    SetObservation(ObservedElements(*parameters.model->get()));
    SetCamera(4, -20, camera_height);
  }

  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddUniformNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

  // From the engine's controls, hence in float64 whatever the action was.
  double EffortCost(const Simulation& simulation) const {
    const size_t count = static_cast<size_t>(simulation.model()->nu);
    return control_weight_ * SumOfSquares<double>({simulation.data()->ctrl, count});
  }

  double ImpactCost(const Simulation& simulation) const {
    const size_t count = 6 * static_cast<size_t>(simulation.model()->nbody);
    const double cost =
        contact_weight_ * SumOfSquares<double>({simulation.data()->cfrc_ext, count});
    return Clip(cost, contact_range_);
  }

  void AddTendonInfo() {
    const int tendons = model()->get()->ntendon;
    AddInfo("tendon_length", "", "Of each tendon, m or rad.", /*in_reset=*/true, {tendons});
    AddInfo("tendon_velocity", "", "Of each tendon, m/s or rad/s.", /*in_reset=*/true, {tendons});
  }

  static void PutTendons(const Simulation& simulation, LeafPointers info, int length,
                         int velocity) {
    const int tendons = simulation.model()->ntendon;
    if (info[length] != nullptr) std::copy_n(simulation.data()->ten_length, tendons, info[length]);
    if (info[velocity] != nullptr)
      std::copy_n(simulation.data()->ten_velocity, tendons, info[velocity]);
  }

 private:
  Elements ObservedElements(const mjModel& model) const {
    Elements elements = StateElements(model, skipped_);
    const auto append = [&elements](const Elements& more) {
      elements.insert(elements.end(), more.begin(), more.end());
    };
    if (observes_inertia_) append(BodyElements(model, first_body_, "cinert", kInertiaParts));
    if (observes_velocity_) append(BodyElements(model, first_body_, "cvel", kVelocityParts));
    if (observes_actuation_) {
      const Elements dofs = DofElements(model, kActuatorForce);
      append({dofs.begin() + first_dof_, dofs.end()});
    }
    if (observes_forces_) append(BodyElements(model, first_body_, "cfrc_ext", kForceParts));
    return elements;
  }

  int first_body_, first_dof_;  // of those observed
  double control_weight_, contact_weight_;
  Interval contact_range_;
  double noise_scale_;
  int skipped_;
  bool observes_inertia_, observes_velocity_, observes_actuation_, observes_forces_;
};

class Humanoid : public HumanoidBody {
 public:
  explicit Humanoid(const Parameters& parameters)
      : HumanoidBody(parameters, "contact_cost", /*camera_height=*/2),
        forward_weight_(GetDouble(parameters.options, "forward_reward_weight")),
        healthy_reward_(GetDouble(parameters.options, "healthy_reward")),
        healthy_z_(GetInterval(parameters.options, "healthy_z_range")),
        terminates_(GetBool(parameters.options, "terminate_when_unhealthy")) {
    const char* where = is_v4() ? "Where the centre of mass is." : "Where the torso is.";
    AddInfo("x_position", "m", where, /*in_reset=*/true);
    AddInfo("y_position", "m", where, /*in_reset=*/true);
    AddInfo("distance_from_origin", "m", "Of that, on the ground.", /*in_reset=*/true);
    AddInfo("x_velocity", "m/s", "Of the centre of mass, mean of the step.");
    AddInfo("y_velocity", "m/s", "Of the centre of mass, mean of the step.");
    AddInfo(is_v4() ? "reward_alive" : "reward_survive", "", "Part of the reward.");
    AddInfo(is_v4() ? "reward_linvel" : "reward_forward", "", "Part of the reward.");
    AddInfo(is_v4() ? "reward_quadctrl" : "reward_ctrl", "", "Part of the reward.");
    if (is_v4()) {
      AddInfo("forward_reward", "", "The same as reward_linvel.");
    } else {
      AddInfo("reward_contact", "", "Part of the reward.");
      AddTendonInfo();
    }
  }

  int state_size() const override { return kStateSize; }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers info) const override {
    const Simulation& simulation = *context.simulation;
    const std::array<double, 2> center = MassCenter(simulation);
    const double x_velocity = (center[0] - context.state[kXBefore]) / dt();
    const double y_velocity = (center[1] - context.state[kYBefore]) / dt();
    const double z = simulation.data()->qpos[2];
    const bool healthy = healthy_z_.low < z && z < healthy_z_.high;
    const double forward = forward_weight_ * x_velocity;
    const double survive = healthy || (is_v4() && terminates_) ? healthy_reward_ : 0;
    const double control = EffortCost(simulation);
    const double contact = is_v4() ? 0 : ImpactCost(simulation);
    Put(info, kXVelocity, x_velocity);
    Put(info, kYVelocity, y_velocity);
    Put(info, kRewardSurvive, survive);
    Put(info, kRewardForward, forward);
    Put(info, kRewardCtrl, -control);
    Put(info, is_v4() ? kForwardReward : kRewardContact, is_v4() ? forward : -contact);
    Begin(context, info);
    return {.reward = (forward + survive) - (control + contact),
            .terminated = !healthy && terminates_};
  }

 protected:
  // Reports where the body is, and keeps where the centre of mass is for the next step.
  void Begin(TaskContext& context, LeafPointers info) const override {
    const std::array<double, 2> center = MassCenter(*context.simulation);
    const double x = is_v4() ? center[0] : context.simulation->data()->qpos[0];
    const double y = is_v4() ? center[1] : context.simulation->data()->qpos[1];
    Put(info, kXPosition, x);
    Put(info, kYPosition, y);
    Put(info, kDistance, std::sqrt(x * x + y * y));
    if (!is_v4()) PutTendons(*context.simulation, info, kTendonLength, kTendonVelocity);
    context.state[kXBefore] = center[0];
    context.state[kYBefore] = center[1];
  }

 private:
  // Task state: where the centre of mass was before the step.
  enum { kXBefore, kYBefore, kStateSize };
  enum {
    kXPosition,
    kYPosition,
    kDistance,
    kXVelocity,
    kYVelocity,
    kRewardSurvive,
    kRewardForward,
    kRewardCtrl,
    kForwardReward,                   // v4
    kRewardContact = kForwardReward,  // and what v5 has from here on
    kTendonLength,
    kTendonVelocity
  };

  static std::array<double, 2> MassCenter(const Simulation& simulation) {
    const mjModel* model = simulation.model();
    const double total_mass =
        PairwiseSum<double>(0, static_cast<size_t>(model->nbody),
                            [model](size_t body) { return model->body_mass[body]; });
    std::array<double, 2> sum = {};
    for (int body = 0; body < model->nbody; ++body) {
      for (int axis = 0; axis < 2; ++axis)
        sum[axis] += model->body_mass[body] * simulation.data()->xipos[3 * body + axis];
    }
    return {sum[0] / total_mass, sum[1] / total_mass};
  }

  double forward_weight_, healthy_reward_;
  Interval healthy_z_;
  bool terminates_;
};

class HumanoidStandup : public HumanoidBody {
 public:
  explicit HumanoidStandup(const Parameters& parameters)
      : HumanoidBody(parameters, "impact_cost", /*camera_height=*/0.8925) {
    AddInfo("reward_linup", "", "Part of the reward.");
    AddInfo("reward_quadctrl", "", "Part of the reward.");
    AddInfo("reward_impact", "", "Part of the reward.");
    if (is_v4()) return;
    AddInfo("x_position", "m", "Where the torso is.", /*in_reset=*/true);
    AddInfo("y_position", "m", "Where the torso is.", /*in_reset=*/true);
    AddInfo("z_distance_from_origin", "m", "Height above that of the model as it was loaded.",
            /*in_reset=*/true);
    AddTendonInfo();
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers info) const override {
    const Simulation& simulation = *context.simulation;
    const double up = simulation.data()->qpos[2] / simulation.model()->opt.timestep;
    const double control = EffortCost(simulation);
    const double impact = ImpactCost(simulation);
    Begin(context, info);
    Put(info, kRewardLinup, up);
    Put(info, kRewardQuadctrl, -control);
    Put(info, kRewardImpact, -impact);
    return {.reward = up - control - impact + 1, .terminated = false};
  }

 protected:
  void Begin(TaskContext& context, LeafPointers info) const override {
    if (is_v4()) return;
    const mjtNum* qpos = context.simulation->data()->qpos;
    Put(info, kXPosition, qpos[0]);
    Put(info, kYPosition, qpos[1]);
    Put(info, kZDistance, qpos[2] - context.simulation->model()->qpos0[2]);
    PutTendons(*context.simulation, info, kTendonLength, kTendonVelocity);
  }

 private:
  enum {
    kRewardLinup,
    kRewardQuadctrl,
    kRewardImpact,
    kXPosition,  // v5, from here on
    kYPosition,
    kZDistance,
    kTendonLength,
    kTendonVelocity
  };
};

}  // namespace

TaskClass HumanoidClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<Humanoid>(
      "Humanoid", version, HumanoidOptions(version == SuiteVersion::kV4), std::move(library));
}

TaskClass HumanoidStandupClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<HumanoidStandup>(
      "HumanoidStandup", version, StandupOptions(version == SuiteVersion::kV4), std::move(library));
}

}  // namespace hivewire
