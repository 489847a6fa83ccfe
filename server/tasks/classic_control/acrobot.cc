#include "server/tasks/classic_control/acrobot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>

#include "server/tasks/classic_control/reset_bounds.h"
#include "server/tasks/numpy_math.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kTimestep = 0.2;          // s
constexpr double kLength = 1;              // m, of each link
constexpr double kCenter = 0.5;            // m, from a link's joint to its centre of mass
constexpr double kMass = 1;                // kg
constexpr double kInertia = 1;             // kg·m²
constexpr double kGravity = 9.8;           // m/s²
constexpr double kMaxVelocity1 = 4 * kPi;  // rad/s
constexpr double kMaxVelocity2 = 9 * kPi;
constexpr ResetBounds kFirstState = {-0.1, 0.1};

// Task state: the two angles, their velocities, and what the action adds.
enum { kAngle1, kAngle2, kVelocity1, kVelocity2, kTorque, kFirst, kStateSize };
using Motion = std::array<double, 4>;

// The equations of Sutton and Barto's book, in the original's order of operations.
Motion Derivative(const Motion& state, double torque) {
  const auto [angle1, angle2, velocity1, velocity2] = state;
  const double cosine2 = std::cos(angle2);
  const double sine2 = std::sin(angle2);
  const double d1 =
      kMass * kCenter * kCenter +
      kMass * (kLength * kLength + kCenter * kCenter + 2 * kLength * kCenter * cosine2) + kInertia +
      kInertia;
  const double d2 = kMass * (kCenter * kCenter + kLength * kCenter * cosine2) + kInertia;
  const double phi2 = kMass * kCenter * kGravity * std::cos(angle1 + angle2 - kPi / 2);
  const double phi1 = -kMass * kLength * kCenter * NumpyPower(velocity2, 2.0) * sine2 -
                      2 * kMass * kLength * kCenter * velocity2 * velocity1 * sine2 +
                      (kMass * kCenter + kMass * kLength) * kGravity * std::cos(angle1 - kPi / 2) +
                      phi2;
  const double acceleration2 =
      (torque + d2 / d1 * phi1 - kMass * kLength * kCenter * NumpyPower(velocity1, 2.0) * sine2 -
       phi2) /
      (kMass * kCenter * kCenter + kInertia - NumpyPower(d2, 2.0) / d1);
  const double acceleration1 = -(d2 * acceleration2 + phi1) / d1;
  return {velocity1, velocity2, acceleration1, acceleration2};
}

Motion Along(const Motion& from, double time, const Motion& slope) {
  Motion to;
  for (size_t i = 0; i < to.size(); ++i) to[i] = from[i] + time * slope[i];
  return to;
}

// One step of the classic fourth-order Runge-Kutta method.
Motion Integrate(const Motion& start, double torque) {
  const Motion k1 = Derivative(start, torque);
  const Motion k2 = Derivative(Along(start, kTimestep / 2, k1), torque);
  const Motion k3 = Derivative(Along(start, kTimestep / 2, k2), torque);
  const Motion k4 = Derivative(Along(start, kTimestep, k3), torque);
  Motion slope;
  for (size_t i = 0; i < slope.size(); ++i) slope[i] = k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i];
  return Along(start, kTimestep / 6, slope);
}

// To [−π, π], by whole turns as the original does it.
double Wrap(double angle) {
  while (angle > kPi) angle -= 2 * kPi;
  while (angle < -kPi) angle += 2 * kPi;
  return angle;
}

class Acrobot : public Task {
 public:
  explicit Acrobot(const v1::EnvEntry& entry) : spec_(StartSpec(entry, {})) {
    const double velocity1 = static_cast<float>(kMaxVelocity1);
    const double velocity2 = static_cast<float>(kMaxVelocity2);
    v1::LeafSpec& observation = *spec_.add_observation();
    observation =
        MakeBoxLeaf("observation", v1::DTYPE_FLOAT32, {6}, {-1, -1, -1, -1, -velocity1, -velocity2},
                    {1, 1, 1, 1, velocity1, velocity2});
    for (const char* name :
         {"cos_angle1", "sin_angle1", "cos_angle2", "sin_angle2", "velocity1", "velocity2"})
      observation.add_element_names(name);
    for (const char* unit : {"", "", "", "", "rad/s", "rad/s"}) observation.add_element_units(unit);
    *spec_.add_action() = MakeDiscreteLeaf("action", 3);
    spec_.mutable_action(0)->set_doc("A torque of −1, 0 or 1 N·m between the links.");
    spec_.set_reward_low(-1);
    spec_.set_reward_high(0);
    spec_.set_control_dt(kTimestep);
    spec_.set_frame_skip(1);
    spec_.set_render_fps(15);
    spec_.set_engine("none");
  }

  const v1::EnvSpec& spec() const override { return spec_; }

  int state_size() const override { return kStateSize; }
  std::vector<StateProperty> state_properties() const override {
    return {StateVector("state", 4, "Angles (rad) of both joints, then their velocities.")};
  }

  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers) const override {
    const auto bounds = ParseResetBounds(options, kFirstState);
    if (!bounds.ok()) return bounds.status();
    // The original rounds its first state to float32.
    for (int i = 0; i < kTorque; ++i)
      context.state[i] = static_cast<float>(context.rng->Uniform(bounds->low, bounds->high));
    context.state[kFirst] = 1;
    return absl::OkStatus();
  }

  void Act(TaskContext& context, const Action& action) const override {
    context.state[kTorque] = action.values[0] - 1;
  }

  void Advance(TaskContext& context) const override {
    Motion motion;
    std::copy_n(context.state.begin(), motion.size(), motion.begin());
    motion = Integrate(motion, context.state[kTorque]);
    context.state[kAngle1] = Wrap(motion[kAngle1]);
    context.state[kAngle2] = Wrap(motion[kAngle2]);
    context.state[kVelocity1] = std::clamp(motion[kVelocity1], -kMaxVelocity1, kMaxVelocity1);
    context.state[kVelocity2] = std::clamp(motion[kVelocity2], -kMaxVelocity2, kMaxVelocity2);
    context.state[kFirst] = 0;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    const double angle1 = context.state[kAngle1], angle2 = context.state[kAngle2];
    const bool above = -std::cos(angle1) - std::cos(angle2 + angle1) > 1;
    return {.reward = above ? 0.0 : -1.0, .terminated = above};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    double* out = observation[0];
    if (out == nullptr) return;
    const bool first = context.state[kFirst] != 0;
    for (const int angle : {kAngle1, kAngle2}) {
      const double value = context.state[angle];
      *out++ = first ? NumpyCos(static_cast<float>(value)) : std::cos(value);
      *out++ = first ? NumpySin(static_cast<float>(value)) : std::sin(value);
    }
    *out++ = context.state[kVelocity1];
    *out = context.state[kVelocity2];
  }

 private:
  v1::EnvSpec spec_;
};

}  // namespace

TaskClass AcrobotClass() {
  return {.name = "classic_control.Acrobot",
          .options = {},
          .make = [](const v1::EnvEntry& entry, const Options&) {
            return std::make_shared<const Acrobot>(entry);
          }};
}

}  // namespace hivewire
