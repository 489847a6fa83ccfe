#include "server/tasks/gymnasium/reaching.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"

namespace hivewire {
namespace {

constexpr double kVelocityNoise = 0.005;

constexpr double kReacherNoise = 0.1;   // rad
constexpr double kReacherRadius = 0.2;  // m, of the disc in which targets lie
constexpr int kReacherJoints = 2;

constexpr double kPusherClearance = 0.17;  // m, between the object's start and the goal
constexpr int kPusherJoints = 7;

// v4 does not report kRewardNear, nor weigh what it reports.
enum { kRewardDist, kRewardCtrl, kRewardNear };

constexpr double kReacherWeight = 1;  // of both parts
constexpr double kPusherNearWeight = 0.5, kPusherDistanceWeight = 1, kPusherControlWeight = 0.1;

std::vector<v1::OptionSpec> ReacherOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("reacher.xml", 2);
  if (is_v4) return options;
  options.push_back(
      DoubleOption("reward_dist_weight", kReacherWeight, "Cost of 1 m from the target."));
  options.push_back(
      DoubleOption("reward_control_weight", kReacherWeight, "Cost of the squared controls."));
  return options;
}

std::vector<v1::OptionSpec> PusherOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions(is_v4 ? "pusher.xml" : "pusher_v5.xml", 5);
  if (is_v4) return options;
  options.push_back(DoubleOption("reward_near_weight", kPusherNearWeight,
                                 "Cost of 1 m between fingertip and object."));
  options.push_back(DoubleOption("reward_dist_weight", kPusherDistanceWeight,
                                 "Cost of 1 m from object to goal."));
  options.push_back(
      DoubleOption("reward_control_weight", kPusherControlWeight, "Cost of the squared controls."));
  return options;
}

// Where body `name`, which exists, is in mjData.xpos.
int XposIndex(const Model& model, const char* name) {
  return 3 * mj_name2id(model.get(), mjOBJ_BODY, name);
}

double Distance(const mjtNum* a, const mjtNum* b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return std::sqrt(x * x + y * y + z * z);
}

void AppendPoint(const std::string& name, Elements& elements) {
  for (const char* axis : {".x", ".y", ".z"}) elements.push_back({name + axis, "m"});
}

class Reacher : public MujocoTask {
 public:
  explicit Reacher(const Parameters& parameters)
      : MujocoTask(parameters),
        distance_weight_(OptionOr(parameters.options, "reward_dist_weight", kReacherWeight)),
        control_weight_(OptionOr(parameters.options, "reward_control_weight", kReacherWeight)),
        observed_axes_(is_v4() ? 3 : 2),
        fingertip_(XposIndex(*parameters.model, "fingertip")),
        target_(XposIndex(*parameters.model, "target")) {
    const Elements positions = PositionElements(*parameters.model->get());
    const Elements velocities = DofElements(*parameters.model->get(), kVelocity);
    Elements elements;
    for (const char* function : {"cos_", "sin_"}) {
      for (int k = 0; k < kReacherJoints; ++k)
        elements.push_back({function + positions[k].name, ""});
    }
    elements.insert(elements.end(), positions.begin() + kReacherJoints, positions.end());
    elements.insert(elements.end(), velocities.begin(), velocities.begin() + kReacherJoints);
    AppendPoint("fingertip_minus_target", elements);
    if (!is_v4()) elements.pop_back();
    SetObservation(elements);
    AddInfo("reward_dist", "", "Part of the reward.");
    AddInfo("reward_ctrl", "", "Part of the reward.");
  }

  static absl::Status Check(const Model& model, const Options&) {
    for (const char* body : {"fingertip", "target"}) {
      const absl::Status status = NeedPart(model, mjOBJ_BODY, body);
      if (!status.ok()) return status;
    }
    return NeedCoordinates(model, kReacherJoints + 2, kReacherJoints + 2);
  }

  int state_size() const override { return is_v4() ? 1 : 0; }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const double from_target = is_v4() ? context.state[0] : FromTarget(*context.simulation);
    if (is_v4()) context.state[0] = FromTarget(*context.simulation);
    const double distance = -from_target * distance_weight_;
    const double control = -ControlCost(control_weight_, action);
    Put(info, kRewardDist, distance);
    Put(info, kRewardCtrl, control);
    return {.reward = distance + control, .terminated = false};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjData* data = context.simulation->data();
    for (int k = 0; k < kReacherJoints; ++k) *out++ = std::cos(data->qpos[k]);
    for (int k = 0; k < kReacherJoints; ++k) *out++ = std::sin(data->qpos[k]);
    out = std::copy(data->qpos + kReacherJoints, data->qpos + context.simulation->model()->nq, out);
    out = std::copy_n(data->qvel, kReacherJoints, out);
    for (int axis = 0; axis < observed_axes_; ++axis)
      *out++ = data->xpos[fingertip_ + axis] - data->xpos[target_ + axis];
  }

 protected:
  // The last two coordinates are the target's.
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, kReacherNoise, data->qpos, model->nq);
    double x, y;
    do {
      x = context.rng->Uniform(-kReacherRadius, kReacherRadius);
      y = context.rng->Uniform(-kReacherRadius, kReacherRadius);
    } while (!(std::sqrt(x * x + y * y) < kReacherRadius));
    data->qpos[model->nq - 2] = x;
    data->qpos[model->nq - 1] = y;
    AddUniformNoise(*context.rng, kVelocityNoise, data->qvel, model->nv);
    std::fill_n(data->qvel + model->nv - 2, 2, 0);
  }

  void Begin(TaskContext& context, LeafPointers) const override {
    if (is_v4()) context.state[0] = FromTarget(*context.simulation);
  }

 private:
  // m
  double FromTarget(const Simulation& simulation) const {
    const mjtNum* xpos = simulation.data()->xpos;
    return Distance(xpos + fingertip_, xpos + target_);
  }

  double distance_weight_, control_weight_;
  int observed_axes_;       // of the way from target to fingertip
  int fingertip_, target_;  // in xpos
};

class Pusher : public MujocoTask {
 public:
  explicit Pusher(const Parameters& parameters)
      : MujocoTask(parameters),
        near_weight_(OptionOr(parameters.options, "reward_near_weight", kPusherNearWeight)),
        distance_weight_(OptionOr(parameters.options, "reward_dist_weight", kPusherDistanceWeight)),
        control_weight_(
            OptionOr(parameters.options, "reward_control_weight", kPusherControlWeight)),
        fingertip_(XposIndex(*parameters.model, "tips_arm")),
        object_(XposIndex(*parameters.model, "object")),
        goal_(XposIndex(*parameters.model, "goal")) {
    Elements elements = PositionElements(*parameters.model->get());
    elements.resize(kPusherJoints);
    const Elements velocities = DofElements(*parameters.model->get(), kVelocity);
    elements.insert(elements.end(), velocities.begin(), velocities.begin() + kPusherJoints);
    for (const char* body : {"tips_arm", "object", "goal"}) AppendPoint(body, elements);
    SetObservation(elements);
    AddInfo("reward_dist", "", "Part of the reward.");
    AddInfo("reward_ctrl", "", is_v4() ? "Without its weight, 0.1." : "Part of the reward.");
    if (!is_v4()) AddInfo("reward_near", "", "Part of the reward.");
    SetCamera(4);
  }

  static absl::Status Check(const Model& model, const Options&) {
    for (const char* body : {"tips_arm", "object", "goal"}) {
      const absl::Status status = NeedPart(model, mjOBJ_BODY, body);
      if (!status.ok()) return status;
    }
    return NeedCoordinates(model, kPusherJoints + 4, kPusherJoints + 4);
  }

  int state_size() const override { return is_v4() ? 2 : 0; }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const Distances rewarded =
        is_v4() ? Distances{context.state[0], context.state[1]} : Measure(*context.simulation);
    if (is_v4()) Keep(Measure(*context.simulation), context);
    const double near = -rewarded.to_object * near_weight_;
    const double distance = -rewarded.to_goal * distance_weight_;
    const double control = -ControlCost(control_weight_, action);
    Put(info, kRewardDist, distance);
    Put(info, kRewardCtrl, is_v4() ? -ControlCost(1, action) : control);
    if (!is_v4()) Put(info, kRewardNear, near);
    return {.reward = distance + control + near, .terminated = false};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjData* data = context.simulation->data();
    out = std::copy_n(data->qpos, kPusherJoints, out);
    out = std::copy_n(data->qvel, kPusherJoints, out);
    for (const int body : {fingertip_, object_, goal_})
      out = std::copy_n(data->xpos + body, 3, out);
  }

 protected:
  // The last four coordinates are the object's and the goal's.
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    double x, y;
    do {
      x = context.rng->Uniform(-0.3, 0);
      y = context.rng->Uniform(-0.2, 0.2);
    } while (!(std::sqrt(x * x + y * y) > kPusherClearance));
    mjtNum* object = data->qpos + model->nq - 4;
    object[0] = x;
    object[1] = y;
    object[2] = object[3] = 0;
    AddUniformNoise(*context.rng, kVelocityNoise, data->qvel, model->nv);
    std::fill_n(data->qvel + model->nv - 4, 4, 0);
  }

  void Begin(TaskContext& context, LeafPointers) const override {
    if (is_v4()) Keep(Measure(*context.simulation), context);
  }

 private:
  struct Distances {
    double to_object;  // m, from the fingertip
    double to_goal;    // m, from the object
  };

  Distances Measure(const Simulation& simulation) const {
    const mjtNum* xpos = simulation.data()->xpos;
    return {Distance(xpos + object_, xpos + fingertip_), Distance(xpos + object_, xpos + goal_)};
  }

  static void Keep(const Distances& distances, TaskContext& context) {
    context.state[0] = distances.to_object;
    context.state[1] = distances.to_goal;
  }

  double near_weight_, distance_weight_, control_weight_;
  int fingertip_, object_, goal_;  // in xpos
};

}  // namespace

TaskClass ReacherClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<Reacher>("Reacher", version, ReacherOptions(version == SuiteVersion::kV4),
                                  std::move(library));
}

TaskClass PusherClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<Pusher>("Pusher", version, PusherOptions(version == SuiteVersion::kV4),
                                 std::move(library));
}

}  // namespace hivewire
