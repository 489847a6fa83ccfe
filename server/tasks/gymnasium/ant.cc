#include "server/tasks/gymnasium/ant.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"
#include "server/tasks/gymnasium/numpy_sum.h"

namespace hivewire {
namespace {

// Task state: where the main body was before the step. The engine's own is a derived field.
enum { kXBefore, kYBefore, kStateSize };
enum {
  kXPosition,
  kYPosition,
  kDistance,
  kXVelocity,
  kYVelocity,
  kRewardForward,
  kRewardCtrl,
  kRewardSurvive,
  kRewardContact,
  kForwardReward = kRewardContact  // v4, in its place
};

constexpr BodyPart kForceParts[] = {{"torque_x", "N·m"}, {"torque_y", "N·m"}, {"torque_z", "N·m"},
                                    {"force_x", "N"},    {"force_y", "N"},    {"force_z", "N"}};

std::vector<v1::OptionSpec> AntOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("ant.xml", 5);
  if (!is_v4)
    options.push_back(DoubleOption("forward_reward_weight", 1, "Reward for 1 m/s forward."));
  options.push_back(DoubleOption("ctrl_cost_weight", 0.5, "Cost of the squared controls."));
  options.push_back(DoubleOption("contact_cost_weight", 5e-4, "Cost of squared contact forces."));
  options.push_back(DoubleOption("healthy_reward", 1, "Reward of a healthy step."));
  if (!is_v4) {
    options.push_back(
        StringOption("main_body", "1", {}, "Body whose velocity counts: its name or its number."));
  }
  options.push_back(
      BoolOption("terminate_when_unhealthy", true, "End an episode that is not healthy."));
  options.push_back(DoubleListOption("healthy_z_range", {0.2, 1}, "Healthy heights, m."));
  options.push_back(
      DoubleListOption("contact_force_range", {-1, 1}, "Contact forces are clipped to this, N."));
  options.push_back(NoiseOption(
      0.1, "Bound of the uniform noise on first positions, deviation of that on velocities."));
  options.push_back(ExcludePositionsOption());
  options.push_back(is_v4 ? BoolOption("use_contact_forces", false,
                                       "Observe the contact forces on each body, and count their "
                                       "cost, which reward_ctrl then shows.")
                          : BoolOption("include_cfrc_ext_in_observation", true,
                                       "Observe the contact forces on each body."));
  return options;
}

// −1 for no such body.
int FindBody(const mjModel& model, const std::string& name_or_number) {
  const int named = mj_name2id(&model, mjOBJ_BODY, name_or_number.c_str());
  int number = -1;
  if (named >= 0 || !absl::SimpleAtoi(name_or_number, &number)) return named;
  return number >= 0 && number < model.nbody ? number : -1;
}

class Ant : public MujocoTask {
 public:
  explicit Ant(const Parameters& parameters)
      : MujocoTask(parameters),
        forward_weight_(OptionOr(parameters.options, "forward_reward_weight", 1.0)),
        control_weight_(GetDouble(parameters.options, "ctrl_cost_weight")),
        contact_weight_(GetDouble(parameters.options, "contact_cost_weight")),
        healthy_reward_(GetDouble(parameters.options, "healthy_reward")),
        noise_scale_(GetDouble(parameters.options, "reset_noise_scale")),
        healthy_z_(GetInterval(parameters.options, "healthy_z_range")),
        force_range_(GetInterval(parameters.options, "contact_force_range")),
        body_(FindBody(*parameters.model->get(), MainBody(parameters.options))),
        skipped_(GetBool(parameters.options, "exclude_current_positions_from_observation") ? 2 : 0),
        terminates_(GetBool(parameters.options, "terminate_when_unhealthy")),
        observes_forces_(GetBool(parameters.options, is_v4() ? "use_contact_forces"
                                                             : "include_cfrc_ext_in_observation")),
        first_body_(is_v4() ? 0 : 1) {
    const mjModel& model = *parameters.model->get();
    Elements elements = StateElements(model, skipped_);
    if (observes_forces_) {
      for (Element& element : BodyElements(model, first_body_, "cfrc_ext", kForceParts))
        elements.push_back(std::move(element));
    }
    SetObservation(elements);
    AddInfo("x_position", "m", "Where the root is.", /*in_reset=*/true);
    AddInfo("y_position", "m", "Where the root is.", /*in_reset=*/true);
    AddInfo("distance_from_origin", "m", "Of the root, on the ground.", /*in_reset=*/true);
    AddInfo("x_velocity", "m/s", "Of the main body, mean of the step.");
    AddInfo("y_velocity", "m/s", "Of the main body, mean of the step.");
    AddInfo("reward_forward", "", "Part of the reward.");
    AddInfo("reward_ctrl", "", "Part of the reward.");
    AddInfo("reward_survive", "", "Part of the reward.");
    if (is_v4()) {
      AddInfo("forward_reward", "", "The same as reward_forward.");
    } else {
      AddInfo("reward_contact", "", "Part of the reward.");
    }
    SetCamera(4);
  }

  static absl::Status Check(const Model& model, const Options& options) {
    const std::string body = MainBody(options);
    if (!options.contains("main_body")) {
      const absl::Status status = NeedPart(model, mjOBJ_BODY, body.c_str());
      if (!status.ok()) return status;
    } else if (FindBody(*model.get(), body) < 0) {
      return MakeError(
          v1::ERROR_REASON_BAD_OPTION,
          absl::StrCat("option main_body = \"", body, "\" is no body of ", model.name(),
                       ": neither a name nor a number below ", model->nbody),
          "options.main_body", body);
    }
    return NeedCoordinates(model, 3, 3);
  }

  int state_size() const override { return kStateSize; }

  void Advance(TaskContext& context) const override {
    MujocoTask::Advance(context);
    // Contact forces are not part of an engine step.
    mj_rnePostConstraint(context.simulation->model(), context.simulation->data());
  }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const mjData& data = *context.simulation->data();
    const double x_velocity = (data.xpos[3 * body_] - context.state[kXBefore]) / dt();
    const double y_velocity = (data.xpos[3 * body_ + 1] - context.state[kYBefore]) / dt();
    const bool healthy = IsHealthy(*context.simulation);
    const double forward = x_velocity * forward_weight_;
    const double survive = healthy || (is_v4() && terminates_) ? healthy_reward_ : 0;
    const double control = ControlCost(control_weight_, action);
    const bool counts_contact = !is_v4() || observes_forces_;
    const double contact = counts_contact ? ContactCost(*context.simulation) : 0;
    PutPosition(data, info);
    Put(info, kXVelocity, x_velocity);
    Put(info, kYVelocity, y_velocity);
    Put(info, kRewardForward, forward);
    Put(info, kRewardCtrl, is_v4() && counts_contact ? -contact : -control);
    Put(info, is_v4() ? kForwardReward : kRewardContact, is_v4() ? forward : -contact);
    Put(info, kRewardSurvive, survive);
    KeepPosition(context);
    return {.reward = (forward + survive) - (control + contact),
            .terminated = !healthy && terminates_};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    out = std::copy(data->qpos + skipped_, data->qpos + model->nq, out);
    out = std::copy_n(data->qvel, model->nv, out);
    if (!observes_forces_) return;
    std::transform(data->cfrc_ext + 6 * first_body_, data->cfrc_ext + 6 * model->nbody, out,
                   [this](double force) { return Clip(force, force_range_); });
  }

 protected:
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddNormalNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

  void Begin(TaskContext& context, LeafPointers info) const override {
    PutPosition(*context.simulation->data(), info);
    KeepPosition(context);
  }

 private:
  static std::string MainBody(const Options& options) {
    return options.contains("main_body") ? GetString(options, "main_body") : "torso";
  }

  void PutPosition(const mjData& data, LeafPointers info) const {
    const mjtNum* position = is_v4() ? data.xpos + 3 * body_ : data.qpos;
    const double x = position[0], y = position[1];
    Put(info, kXPosition, x);
    Put(info, kYPosition, y);
    Put(info, kDistance, std::sqrt(x * x + y * y));
  }

  void KeepPosition(TaskContext& context) const {
    const mjData* data = context.simulation->data();
    std::copy_n(data->xpos + 3 * body_, kStateSize, context.state.data());
  }

  bool IsHealthy(const Simulation& simulation) const {
    const auto finite = [](double x) { return std::isfinite(x); };
    const mjModel* model = simulation.model();
    const mjData* data = simulation.data();
    const double z = data->qpos[2];
    return healthy_z_.low <= z && z <= healthy_z_.high &&
           std::all_of(data->qpos, data->qpos + model->nq, finite) &&
           std::all_of(data->qvel, data->qvel + model->nv, finite);
  }

  double ContactCost(const Simulation& simulation) const {
    const mjtNum* forces = simulation.data()->cfrc_ext;
    const size_t count = 6 * static_cast<size_t>(simulation.model()->nbody);
    return contact_weight_ * PairwiseSum<double>(0, count, [&](size_t k) {
             const double force = Clip(forces[k], force_range_);
             return force * force;
           });
  }

  double forward_weight_, control_weight_, contact_weight_, healthy_reward_, noise_scale_;
  Interval healthy_z_, force_range_;
  int body_;
  int skipped_;
  bool terminates_, observes_forces_;
  int first_body_;  // of those whose forces are observed
};

}  // namespace

TaskClass AntClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<Ant>("Ant", version, AntOptions(version == SuiteVersion::kV4),
                              std::move(library));
}

}  // namespace hivewire
