#include "server/tasks/classic_control/cart_pole.h"

#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "server/tasks/classic_control/reset_bounds.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

constexpr double kGravity = 9.8;   // m/s²
constexpr double kPoleMass = 0.1;  // kg
constexpr double kTotalMass = kPoleMass + 1.0;
constexpr double kHalfLength = 0.5;  // m, from the joint to the pole's centre of mass
constexpr double kPoleMassLength = kPoleMass * kHalfLength;
constexpr double kForce = 10.0;                                // N
constexpr double kTimestep = 0.02;                             // s
constexpr double kMaxAngle = 12 * 2 * std::numbers::pi / 360;  // rad
constexpr double kMaxPosition = 2.4;                           // m
constexpr ResetBounds kFirstState = {-0.05, 0.05};

// Task state.
enum { kPosition, kVelocity, kAngle, kAngularVelocity, kAppliedForce, kStateSize };
constexpr int kObserved = 4;

std::vector<v1::OptionSpec> CartPoleOptions() {
  return {BoolOption("sutton_barto_reward", false,
                     "Reward 0 a step and −1 at the end, instead of 1 a step.")};
}

class CartPole : public Task {
 public:
  CartPole(const v1::EnvEntry& entry, const Options& options)
      : spec_(StartSpec(entry, CartPoleOptions())),
        sutton_barto_reward_(GetBool(options, "sutton_barto_reward")) {
    const double infinity = std::numeric_limits<double>::infinity();
    // Gymnasium's box is float32, and so are its bounds.
    const double position = static_cast<float>(2 * kMaxPosition);
    const double angle = static_cast<float>(2 * kMaxAngle);
    v1::LeafSpec& observation = *spec_.add_observation();
    observation = MakeBoxLeaf("observation", v1::DTYPE_FLOAT32, {kObserved},
                              {-position, -infinity, -angle, -infinity},
                              {position, infinity, angle, infinity});
    for (const char* name : {"cart_position", "cart_velocity", "pole_angle", "pole_velocity"})
      observation.add_element_names(name);
    for (const char* unit : {"m", "m/s", "rad", "rad/s"}) observation.add_element_units(unit);
    *spec_.add_action() = MakeDiscreteLeaf("action", 2);
    spec_.mutable_action(0)->set_doc("0 pushes the cart to the left, 1 to the right.");
    spec_.set_reward_low(sutton_barto_reward_ ? -1 : 1);
    spec_.set_reward_high(sutton_barto_reward_ ? 0 : 1);
    spec_.set_control_dt(kTimestep);
    spec_.set_frame_skip(1);
    spec_.set_render_fps(50);
    spec_.set_engine("none");
  }

  const v1::EnvSpec& spec() const override { return spec_; }

  int state_size() const override { return kStateSize; }
  std::vector<StateProperty> state_properties() const override {
    return {StateVector(
        "state", kObserved,
        "Position (m) and velocity of the cart, angle (rad) and velocity of the pole.")};
  }

  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers) const override {
    const auto bounds = ParseResetBounds(options, kFirstState);
    if (!bounds.ok()) return bounds.status();
    context.rng->FillUniform(bounds->low, bounds->high, context.state.subspan(0, kObserved));
    return absl::OkStatus();
  }

  void Act(TaskContext& context, const Action& action) const override {
    context.state[kAppliedForce] = action.values[0] == 1 ? kForce : -kForce;
  }

  // Explicit Euler; the equations of https://coneural.org/florian/papers/05_cart_pole.pdf. The
  // order of operations is Gymnasium's.
  void Advance(TaskContext& context) const override {
    double& x = context.state[kPosition];
    double& x_dot = context.state[kVelocity];
    double& theta = context.state[kAngle];
    double& theta_dot = context.state[kAngularVelocity];
    const double cosine = std::cos(theta);
    const double sine = std::sin(theta);
    const double push =
        (context.state[kAppliedForce] + kPoleMassLength * (theta_dot * theta_dot) * sine) /
        kTotalMass;
    const double theta_acceleration =
        (kGravity * sine - cosine * push) /
        (kHalfLength * (4.0 / 3.0 - kPoleMass * (cosine * cosine) / kTotalMass));
    const double x_acceleration = push - kPoleMassLength * theta_acceleration * cosine / kTotalMass;
    x = x + kTimestep * x_dot;
    x_dot = x_dot + kTimestep * x_acceleration;
    theta = theta + kTimestep * theta_dot;
    theta_dot = theta_dot + kTimestep * theta_acceleration;
  }

  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    const bool fallen = std::abs(context.state[kPosition]) > kMaxPosition ||
                        std::abs(context.state[kAngle]) > kMaxAngle;
    const double reward = sutton_barto_reward_ ? (fallen ? -1.0 : 0.0) : 1.0;
    return {.reward = reward, .terminated = fallen};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    if (observation[0] == nullptr) return;
    for (int i = 0; i < kObserved; ++i) observation[0][i] = context.state[i];
  }

 private:
  v1::EnvSpec spec_;
  bool sutton_barto_reward_;
};

}  // namespace

TaskClass CartPoleClass() {
  return {.name = "classic_control.CartPole",
          .options = CartPoleOptions(),
          .make = [](const v1::EnvEntry& entry, const Options& options) {
            return std::make_shared<const CartPole>(entry, options);
          }};
}

}  // namespace hivewire
