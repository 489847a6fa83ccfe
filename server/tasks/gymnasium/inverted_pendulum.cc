#include "server/tasks/gymnasium/inverted_pendulum.h"

#include <algorithm>
#include <cmath>
#include <optional>
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

constexpr double kSingleNoise = 0.01, kDoubleNoise = 0.1;
constexpr double kHealthyReward = 10;

std::vector<v1::OptionSpec> SingleOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("inverted_pendulum.xml", 2);
  if (is_v4) return options;
  options.push_back(
      NoiseOption(kSingleNoise, "Bound of the uniform noise on first positions and velocities."));
  return options;
}

std::vector<v1::OptionSpec> DoubleOptions(bool is_v4) {
  std::vector<v1::OptionSpec> options = MujocoOptions("inverted_double_pendulum.xml", 5);
  if (is_v4) return options;
  options.push_back(
      DoubleOption("healthy_reward", kHealthyReward, "Reward of a step that does not end it."));
  options.push_back(NoiseOption(
      kDoubleNoise,
      "Bound of the uniform noise on first positions, deviation of that on velocities."));
  return options;
}

class InvertedPendulum : public MujocoTask {
 public:
  explicit InvertedPendulum(const Parameters& parameters)
      : MujocoTask(parameters),
        noise_scale_(OptionOr(parameters.options, "reset_noise_scale", kSingleNoise)) {
    SetObservation(StateElements(*parameters.model->get(), 0));
    if (!is_v4()) AddInfo("reward_survive", "", "The reward.");
    SetCamera(2.04);
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
    const double reward = terminated && !is_v4() ? 0 : 1;
    if (!is_v4()) Put(info, kSingleRewardSurvive, reward);
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
        healthy_reward_(OptionOr(parameters.options, "healthy_reward", kHealthyReward)),
        noise_scale_(OptionOr(parameters.options, "reset_noise_scale", kDoubleNoise)),
        observed_forces_(is_v4() ? parameters.model->get()->nv : 1) {
    const mjModel& model = *parameters.model->get();
    const Elements positions = PositionElements(model);
    Elements elements = {positions[0]};
    for (const char* function : {"sin_", "cos_"}) {
      for (size_t joint = 1; joint < positions.size(); ++joint)
        elements.push_back({function + positions[joint].name, ""});
    }
    for (Element& element : DofElements(model, kVelocity)) elements.push_back(std::move(element));
    const Elements forces = DofElements(model, kConstraintForce);
    elements.insert(elements.end(), forces.begin(), forces.begin() + observed_forces_);
    SetObservation(elements);
    if (is_v4()) {
      SetCamera(4.1225, std::nullopt, 0.12250000000000005);
      return;
    }
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
    const double survive = terminated && !is_v4() ? 0 : healthy_reward_;
    if (!is_v4()) {
      Put(info, kRewardSurvive, survive);
      Put(info, kDistancePenalty, -distance);
      Put(info, kVelocityPenalty, -velocity);
    }
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
    std::transform(data->qfrc_constraint, data->qfrc_constraint + observed_forces_, out, clip);
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
  int observed_forces_;  // of the first degrees of freedom
};

}  // namespace

TaskClass InvertedPendulumClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<InvertedPendulum>(
      "InvertedPendulum", version, SingleOptions(version == SuiteVersion::kV4), std::move(library));
}

TaskClass InvertedDoublePendulumClass(SuiteVersion version, std::shared_ptr<ModelLibrary> library) {
  return MakeMujocoClass<InvertedDoublePendulum>("InvertedDoublePendulum", version,
                                                 DoubleOptions(version == SuiteVersion::kV4),
                                                 std::move(library));
}

}  // namespace hivewire
