// What RoboHive puts between an env and its model: how actions become controls, what sensors can
// read, and where a reset may put joints.
//
// A robot with a config limits position and velocity of its joints; without one, actions map to the
// actuators' control ranges and nothing else happens. RoboHive's peculiarities are Options, each on
// as RoboHive has it.
//
// Immutable; any number of threads may use one.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_H_

#include <mujoco/mujoco.h>

#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/config.pb.h"
#include "server/sim/numpy_rng.h"
#include "server/tasks/task.h"

namespace hivewire {

class Robot {
 public:
  struct Options {
    // An action is a velocity; otherwise a position.
    bool velocity_mode = false;
    // Actions are in [−1, 1] and mapped to the actuators' ranges.
    bool normalized = true;
    // Times each sensor's own noise; 0 for none.
    double noise_scale = 0;
    // Sensors' clipped readings are written back into the engine's state.
    bool clamp_sensors = true;
    // Controls of a configured robot are rounded to float32 where the action came in float32.
    bool float32_controls = true;
    // Actuators that the config lacks get the action itself; otherwise it is mapped to their
    // control ranges.
    bool raw_unconfigured = true;
  };

  // `config` is null for a robot without limits. `step_duration` is the time between two actions,
  // s. INVALID_ARGUMENT (BAD_OPTION) naming a sensor or actuator that `model` lacks, or that is of
  // another kind than a config can limit.
  static absl::StatusOr<Robot> Create(const v1::RobotConfig* config, const mjModel& model,
                                      double step_duration, const Options& options);

  // The controls for an action, given the joints' positions: (nu).
  void Control(const Action& action, const mjModel& model, const mjtNum* qpos, mjtNum* ctrl) const;

  // RoboHive reads its sensors this often when it makes or resets a robot.
  static constexpr int kReadingsAtReset = 5;

  // Moves a state to which an env is to be reset into the robot's limits.
  void LimitStart(mjtNum* qpos, mjtNum* qvel) const;

  // Reads the sensors, and writes what they read into the state.
  void Sense(mjtNum* qpos, mjtNum* qvel, NumpyRng& rng) const;
  // Draws the noise of `count` readings of all sensors that nobody uses.
  void SkipReadings(int count, NumpyRng& rng) const;

  // Ranges of the configured actuators' positions, with the address of each one's joint.
  struct JointRange {
    int address;
    double low, high;
  };
  std::vector<JointRange> ActuatorRanges() const;

 private:
  struct Limits {
    double low, high;
    double Clip(double value) const;
  };
  struct Sensor {
    bool velocity;
    int address;
    double cutoff;  // of the model's sensor; 0 for none
    Limits range;
    double noise;
    bool passive;  // of a device without actuators
  };
  struct Actuator {
    int id;
    int address;  // of the joint's velocity, which RoboHive takes for that of its position
    Limits position, velocity;
  };

  Robot(double step_duration, const Options& options)
      : step_duration_(step_duration), options_(options) {}

  absl::Status Add(const v1::RobotDevice& device, const mjModel& model);

  double step_duration_;
  Options options_;
  bool configured_ = false;
  std::vector<Sensor> sensors_;
  std::vector<Actuator> actuators_;
  std::vector<bool> is_configured_;  // by actuator of the model
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOT_H_
