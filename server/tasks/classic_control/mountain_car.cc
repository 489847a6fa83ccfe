#include "server/tasks/classic_control/mountain_car.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "server/tasks/classic_control/reset_bounds.h"
#include "server/tasks/numpy_math.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

using Type = NumpyScalar::Type;

constexpr double kMinPosition = -1.2;
constexpr double kMaxPosition = 0.6;
constexpr double kMaxSpeed = 0.07;
constexpr double kGravity = 0.0025;
constexpr ResetBounds kFirstPosition = {-0.6, -0.4};

std::vector<v1::OptionSpec> MountainCarOptions() {
  return {DoubleOption("goal_velocity", 0, "Least velocity at the goal.")};
}

// What the two have in common. Task state begins with position and velocity.
class MountainCarTask : public Task {
 public:
  MountainCarTask(const v1::EnvEntry& entry, const Options& options)
      : goal_velocity_(GetDouble(options, "goal_velocity")),
        spec_(StartSpec(entry, MountainCarOptions())) {
    // Gymnasium's box is float32, and so are its bounds.
    const double speed = static_cast<float>(kMaxSpeed);
    v1::LeafSpec& observation = *spec_.add_observation();
    observation = MakeBoxLeaf("observation", v1::DTYPE_FLOAT32, {2},
                              {static_cast<float>(kMinPosition), -speed},
                              {static_cast<float>(kMaxPosition), speed});
    for (const char* name : {"position", "velocity"}) observation.add_element_names(name);
    spec_.set_control_dt(1);  // The original's time has no unit.
    spec_.set_frame_skip(1);
    spec_.set_render_fps(30);
    spec_.set_engine("none");
  }

  const v1::EnvSpec& spec() const override { return spec_; }
  std::vector<StateProperty> state_properties() const override {
    return {StateVector("state", 2, "Position and velocity.")};
  }

  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers) const override {
    const auto bounds = ParseResetBounds(options, kFirstPosition);
    if (!bounds.ok()) return bounds.status();
    std::fill(context.state.begin(), context.state.end(), 0.0);
    context.state[kPosition] = context.rng->Uniform(bounds->low, bounds->high);
    return absl::OkStatus();
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    if (observation[0] == nullptr) return;
    observation[0][0] = context.state[kPosition];
    observation[0][1] = context.state[kVelocity];
  }

 protected:
  enum { kPosition, kVelocity, kFirstOwn };

  double goal_velocity_;
  v1::EnvSpec spec_;
};

class MountainCar : public MountainCarTask {
 public:
  MountainCar(const v1::EnvEntry& entry, const Options& options) : MountainCarTask(entry, options) {
    *spec_.add_action() = MakeDiscreteLeaf("action", 3);
    spec_.mutable_action(0)->set_doc("0 pushes to the left, 1 not at all, 2 to the right.");
    spec_.set_reward_low(-1);
    spec_.set_reward_high(-1);
  }

  int state_size() const override { return kPush + 1; }

  void Act(TaskContext& context, const Action& action) const override {
    context.state[kPush] = (action.values[0] - 1) * 0.001;
  }

  void Advance(TaskContext& context) const override {
    double& position = context.state[kPosition];
    double& velocity = context.state[kVelocity];
    velocity += context.state[kPush] + std::cos(3 * position) * -kGravity;
    velocity = std::clamp(velocity, -kMaxSpeed, kMaxSpeed);
    position = std::clamp(position + velocity, kMinPosition, kMaxPosition);
    if (position == kMinPosition && velocity < 0) velocity = 0;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    return {.reward = -1,
            .terminated =
                context.state[kPosition] >= 0.5 && context.state[kVelocity] >= goal_velocity_};
  }

 private:
  enum { kPush = kFirstOwn };
};

// The original keeps its state in float64 until the first step and in float32 from then on, and
// computes in what numpy makes of that and the action's dtype.
class MountainCarContinuous : public MountainCarTask {
 public:
  MountainCarContinuous(const v1::EnvEntry& entry, const Options& options)
      : MountainCarTask(entry, options) {
    *spec_.add_action() = MakeBoxLeaf("action", v1::DTYPE_FLOAT32, {1}, {-1}, {1});
    spec_.set_reward_high(100);
  }

  int state_size() const override { return kStateSize; }

  void Act(TaskContext& context, const Action& action) const override {
    const double sent = action.values[0];
    const Type dtype = action.dtype == v1::DTYPE_FLOAT32 ? Type::kFloat32 : Type::kFloat64;
    const NumpyScalar force = sent > 1    ? NumpyScalar(1)
                              : sent < -1 ? NumpyScalar(-1)
                                          : NumpyScalar(sent, dtype);
    const Type state_type = context.state[kStepped] != 0 ? Type::kFloat32 : Type::kFloat64;
    NumpyScalar position(context.state[kPosition], state_type);
    NumpyScalar velocity(context.state[kVelocity], state_type);

    const NumpyScalar slope = kGravity * std::cos((3 * position).value());
    velocity = velocity + (force * 0.0015 - slope);
    if (velocity > kMaxSpeed) velocity = kMaxSpeed;
    if (velocity < -kMaxSpeed) velocity = -kMaxSpeed;
    position = position + velocity;
    if (position > kMaxPosition) position = kMaxPosition;
    if (position < kMinPosition) position = kMinPosition;
    if (position == kMinPosition && velocity < 0) velocity = 0;
    const bool arrived = !(position < 0.45) && !(velocity < goal_velocity_);

    context.state[kPosition] = static_cast<float>(position.value());
    context.state[kVelocity] = static_cast<float>(velocity.value());
    context.state[kStepped] = 1;
    context.state[kArrived] = arrived;
    context.state[kReward] = (arrived ? 100.0 : 0.0) - NumpyPower(sent, 2.0) * 0.1;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    return {.reward = context.state[kReward], .terminated = context.state[kArrived] != 0};
  }

 private:
  enum { kStepped = kFirstOwn, kArrived, kReward, kStateSize };
};

template <typename Car>
TaskClass MakeClass(const char* name) {
  return {.name = name,
          .options = MountainCarOptions(),
          .make = [](const v1::EnvEntry& entry, const Options& options) {
            return std::make_shared<const Car>(entry, options);
          }};
}

}  // namespace

TaskClass MountainCarClass() { return MakeClass<MountainCar>("classic_control.MountainCar"); }

TaskClass MountainCarContinuousClass() {
  return MakeClass<MountainCarContinuous>("classic_control.MountainCarContinuous");
}

}  // namespace hivewire
