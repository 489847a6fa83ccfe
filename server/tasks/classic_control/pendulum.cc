#include "server/tasks/classic_control/pendulum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <vector>

#include "server/tasks/numpy_math.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kMaxSpeed = 8;     // rad/s
constexpr double kMaxTorque = 2;    // N·m
constexpr double kMass = 1;         // kg
constexpr double kLength = 1;       // m
constexpr double kTimestep = 0.05;  // s

// Task state. The action leaves behind what it adds to acceleration and cost.
enum { kAngle, kVelocity, kTorqueAcceleration, kCost, kStateSize };

std::vector<v1::OptionSpec> PendulumOptions() {
  return {DoubleOption("g", 10.0, "Gravity, m/s².")};
}

// A reset's own, unless its options say otherwise.
constexpr double kFirstAngle = kPi;     // rad
constexpr double kFirstVelocity = 1.0;  // rad/s

std::vector<v1::OptionSpec> MakeResetOptions() {
  std::vector<v1::OptionSpec> options = {
      DoubleOption("x_init", kFirstAngle, "Largest first angle, rad."),
      DoubleOption("y_init", kFirstVelocity, "Largest first angular velocity, rad/s.")};
  for (v1::OptionSpec& option : options) {
    option.set_minimum(0);
    // Twice this is still finite.
    option.set_maximum(std::numeric_limits<double>::max() / 2);
  }
  return options;
}

const std::vector<v1::OptionSpec>& ResetOptions() {
  static const auto& options = *new std::vector<v1::OptionSpec>(MakeResetOptions());
  return options;
}

// To [−π, π).
double NormalizeAngle(double angle) { return NumpyRemainder(angle + kPi, 2 * kPi) - kPi; }

// What numpy computes from an action of type Real, every product rounded to Real.
template <typename Real>
void ApplyTorque(Real torque, absl::Span<double> state) {
  const Real clipped =
      std::clamp(torque, static_cast<Real>(-kMaxTorque), static_cast<Real>(kMaxTorque));
  const Real torque_cost = static_cast<Real>(0.001) * NumpyPower(clipped, static_cast<Real>(2));
  state[kTorqueAcceleration] = static_cast<Real>(3.0 / (kMass * kLength * kLength)) * clipped;
  state[kCost] = NumpyPower(NormalizeAngle(state[kAngle]), 2.0) +
                 0.1 * NumpyPower(state[kVelocity], 2.0) + torque_cost;
}

class Pendulum : public Task {
 public:
  Pendulum(const v1::EnvEntry& entry, const Options& options)
      : spec_(StartSpec(entry, PendulumOptions())), gravity_(GetDouble(options, "g")) {
    v1::LeafSpec& observation = *spec_.add_observation();
    observation =
        MakeBoxLeaf("observation", v1::DTYPE_FLOAT32, {3}, {-1, -1, -kMaxSpeed}, {1, 1, kMaxSpeed});
    for (const char* name : {"cos_angle", "sin_angle", "velocity"})
      observation.add_element_names(name);
    for (const char* unit : {"", "", "rad/s"}) observation.add_element_units(unit);
    *spec_.add_action() =
        MakeBoxLeaf("action", v1::DTYPE_FLOAT32, {1}, {-kMaxTorque}, {kMaxTorque});
    spec_.mutable_action(0)->set_unit("N·m");
    spec_.set_reward_low(
        -(kPi * kPi + 0.1 * kMaxSpeed * kMaxSpeed + 0.001 * kMaxTorque * kMaxTorque));
    spec_.set_reward_high(0);
    spec_.set_control_dt(kTimestep);
    spec_.set_frame_skip(1);
    spec_.set_render_fps(30);
    spec_.set_engine("none");
  }

  const v1::EnvSpec& spec() const override { return spec_; }

  int state_size() const override { return kStateSize; }
  std::vector<StateProperty> state_properties() const override {
    return {StateVector("state", 2, "Angle (rad) and velocity.")};
  }

  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers) const override {
    double angle = kFirstAngle;
    double velocity = kFirstVelocity;
    if (!options.empty()) {
      const auto resolved = ResolveOptions(ResetOptions(), options);
      if (!resolved.ok()) return resolved.status();
      angle = GetDouble(*resolved, "x_init");
      velocity = GetDouble(*resolved, "y_init");
    }
    context.state[kAngle] = context.rng->Uniform(-angle, angle);
    context.state[kVelocity] = context.rng->Uniform(-velocity, velocity);
    return absl::OkStatus();
  }

  void Act(TaskContext& context, const Action& action) const override {
    if (action.dtype == v1::DTYPE_FLOAT32) {
      ApplyTorque(static_cast<float>(action.values[0]), context.state);
    } else {
      ApplyTorque(action.values[0], context.state);
    }
  }

  // Semi-implicit Euler; the order of operations is Gymnasium's.
  void Advance(TaskContext& context) const override {
    double& angle = context.state[kAngle];
    double& velocity = context.state[kVelocity];
    velocity = velocity + (3 * gravity_ / (2 * kLength) * std::sin(angle) +
                           context.state[kTorqueAcceleration]) *
                              kTimestep;
    velocity = std::clamp(velocity, -kMaxSpeed, kMaxSpeed);
    angle = angle + velocity * kTimestep;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    return {.reward = -context.state[kCost], .terminated = false};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    if (observation[0] == nullptr) return;
    observation[0][0] = std::cos(context.state[kAngle]);
    observation[0][1] = std::sin(context.state[kAngle]);
    observation[0][2] = context.state[kVelocity];
  }

 private:
  v1::EnvSpec spec_;
  double gravity_;
};

}  // namespace

TaskClass PendulumClass() {
  return {.name = "classic_control.Pendulum",
          .options = PendulumOptions(),
          .make = [](const v1::EnvEntry& entry, const Options& options) {
            return std::make_shared<const Pendulum>(entry, options);
          }};
}

}  // namespace hivewire
