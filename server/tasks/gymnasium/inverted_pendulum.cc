#include "server/tasks/gymnasium/inverted_pendulum.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/mujoco_task.h"
#include "server/tasks/numpy_math.h"

namespace hivewire {
namespace {

constexpr double kLargestAngle = 0.2;           // rad
constexpr double kLowestTip = 1;                // m
constexpr Interval kObservedRange = {-10, 10};  // of velocities and of the constraint force

enum { kSingleRewardSurvive };
enum { kRewardSurvive, kDistancePenalty, kVelocityPenalty };

std::vector<v1::OptionSpec> SingleOptions() {
  std::vector<v1::OptionSpec> options = MujocoOptions("inverted_pendulum.xml", 2);
  options.push_back(
      NoiseOption(0.01, "Bound of the uniform noise on first positions and velocities."));
  return options;
}

std::vector<v1::OptionSpec> DoubleOptions() {
  std::vector<v1::OptionSpec> options = MujocoOptions("inverted_double_pendulum.xml", 5);
  options.push_back(DoubleOption("healthy_reward", 10, "Reward of a step that does not end it."));
  options.push_back(NoiseOption(
      0.1, "Bound of the uniform noise on first positions, deviation of that on velocities."));
  return options;
}

class InvertedPendulum : public MujocoTask {
 public:
  explicit InvertedPendulum(const Parameters& parameters)
      : MujocoTask(parameters), noise_scale_(GetDouble(parameters.options, "reset_noise_scale")) {
    SetObservation(StateNames(*parameters.model->get(), 0));
    AddInfo("reward_survive", "", "The reward.");
    SetCameraDistance(2.04);
  }

  static absl::Status Check(const Model& model, const Options&) {
    return NeedCoordinates(model, 2, 1);
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers info) const override {
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    const auto finite = [](double x) { return std::isfinite(x); };
    const bool terminated = !std::all_of(data->qpos, data->qpos + model->nq, finite) ||
                            !std::all_of(data->qvel, data->qvel + model->nv, finite) ||
                            std::abs(data->qpos[1]) > kLargestAngle;
    const double reward = terminated ? 0 : 1;
    Put(info, kSingleRewardSurvive, reward);
    return {.reward = reward, .terminated = terminated};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    out = std::copy_n(data->qpos, model->nq, out);
    std::copy_n(data->qvel, model->nv, out);
  }

 protected:
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddUniformNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

 private:
  double noise_scale_;
};

class InvertedDoublePendulum : public MujocoTask {
 public:
  explicit InvertedDoublePendulum(const Parameters& parameters)
      : MujocoTask(parameters),
        healthy_reward_(GetDouble(parameters.options, "healthy_reward")),
        noise_scale_(GetDouble(parameters.options, "reset_noise_scale")) {
    const mjModel& model = *parameters.model->get();
    const std::vector<std::string> positions = PositionNames(model);
    std::vector<std::string> names = {positions[0]};
    for (const char* function : {"sin_", "cos_"}) {
      for (size_t joint = 1; joint < positions.size(); ++joint)
        names.push_back(function + positions[joint]);
    }
    for (std::string& name : DofNames(model, "velocity")) names.push_back(std::move(name));
    names.push_back(positions[0] + ".constraint_force");
    SetObservation(names);
    AddInfo("reward_survive", "", "Part of the reward.");
    AddInfo("distance_penalty", "", "Part of the reward.");
    AddInfo("velocity_penalty", "", "Part of the reward.");
  }

  static absl::Status Check(const Model& model, const Options&) {
    const absl::Status status = NeedCoordinates(model, 3, 3);
    return status.ok() ? NeedPart(model, mjOBJ_SITE, "tip") : status;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers info) const override {
    const mjData* data = context.simulation->data();
    const double x = data->site_xpos[0], y = data->site_xpos[2];
    const bool terminated = y <= kLowestTip;
    const double distance = 0.01 * NumpyPower(x, 2.0) + NumpyPower(y - 2, 2.0);
    const double velocity =
        1e-3 * NumpyPower(data->qvel[1], 2.0) + 5e-3 * NumpyPower(data->qvel[2], 2.0);
    const double survive = terminated ? 0 : healthy_reward_;
    Put(info, kRewardSurvive, survive);
    Put(info, kDistancePenalty, -distance);
    Put(info, kVelocityPenalty, -velocity);
    return {.reward = survive - distance - velocity, .terminated = terminated};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const mjModel* model = context.simulation->model();
    const mjData* data = context.simulation->data();
    const auto clip = [](double value) { return Clip(value, kObservedRange); };
    *out++ = data->qpos[0];
    for (int k = 1; k < model->nq; ++k) *out++ = std::sin(data->qpos[k]);
    for (int k = 1; k < model->nq; ++k) *out++ = std::cos(data->qpos[k]);
    out = std::transform(data->qvel, data->qvel + model->nv, out, clip);
    *out = clip(data->qfrc_constraint[0]);
  }

 protected:
  void DrawStart(TaskContext& context) const override {
    const mjModel* model = context.simulation->model();
    mjData* data = context.simulation->data();
    AddUniformNoise(*context.rng, noise_scale_, data->qpos, model->nq);
    AddNormalNoise(*context.rng, noise_scale_, data->qvel, model->nv);
  }

 private:
  double healthy_reward_, noise_scale_;
};

}  // namespace

TaskClass InvertedPendulumClass(std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<InvertedPendulum>("gymnasium.InvertedPendulum", SingleOptions(),
                                           std::move(library));
}

TaskClass InvertedDoublePendulumClass(std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<InvertedDoublePendulum>("gymnasium.InvertedDoublePendulum",
                                                 DoubleOptions(), std::move(library));
}

}  // namespace hivewire
