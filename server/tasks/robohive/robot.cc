#include "server/tasks/robohive/robot.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

absl::Status Misfit(absl::string_view what, absl::string_view name, absl::string_view problem) {
  return MakeError(
      v1::ERROR_REASON_BAD_OPTION,
      absl::StrCat("option robot does not fit the model: ", what, " \"", name, "\" ", problem),
      "options.robot", name);
}

bool IsHingeOrSlide(const mjModel& model, int joint) {
  return model.jnt_type[joint] == mjJNT_HINGE || model.jnt_type[joint] == mjJNT_SLIDE;
}

double Middle(double low, double high) { return (high + low) / 2.0; }

// RoboHive's order of operations.
double Map(double action, double low, double high) {
  return Middle(low, high) + action * (high - low) / 2.0;
}

}  // namespace

// As numpy's clip: of two zeros the bound's.
double Robot::Limits::Clip(double value) const {
  const double raised = value > low ? value : low;
  return raised < high ? raised : high;
}

absl::StatusOr<Robot> Robot::Create(const v1::RobotConfig* config, const mjModel& model,
                                    double step_duration, const Options& options) {
  Robot robot(step_duration, options);
  robot.is_configured_.resize(static_cast<size_t>(model.nu));
  if (config == nullptr) return robot;
  robot.configured_ = true;
  for (const v1::RobotDevice& device : config->device()) {
    const absl::Status status = robot.Add(device, model);
    if (!status.ok()) return status;
  }
  return robot;
}

absl::Status Robot::Add(const v1::RobotDevice& device, const mjModel& model) {
  for (const v1::RobotSensor& config : device.sensor()) {
    const int id = mj_name2id(&model, mjOBJ_SENSOR, config.name().c_str());
    if (id < 0) return Misfit("sensor", config.name(), "is not there");
    const int joint = model.sensor_objid[id];
    const bool velocity = model.sensor_type[id] == mjSENS_JOINTVEL;
    if ((!velocity && model.sensor_type[id] != mjSENS_JOINTPOS) || !IsHingeOrSlide(model, joint))
      return Misfit("sensor", config.name(), "reads no position or velocity of a hinge or slide");
    sensors_.push_back({velocity,
                        velocity ? model.jnt_dofadr[joint] : model.jnt_qposadr[joint],
                        model.sensor_cutoff[id],
                        {config.range().low(), config.range().high()},
                        config.noise(),
                        device.actuator().empty()});
  }
  for (const v1::RobotActuator& config : device.actuator()) {
    const int id = mj_name2id(&model, mjOBJ_ACTUATOR, config.name().c_str());
    if (id < 0) return Misfit("actuator", config.name(), "is not there");
    const int joint = model.actuator_trnid[2 * id];
    if (model.actuator_trntype[id] != mjTRN_JOINT || !IsHingeOrSlide(model, joint))
      return Misfit("actuator", config.name(), "moves no hinge or slide");
    actuators_.push_back({id,
                          model.jnt_dofadr[joint],
                          {config.position().low(), config.position().high()},
                          {config.velocity().low(), config.velocity().high()}});
    is_configured_[static_cast<size_t>(id)] = true;
  }
  return absl::OkStatus();
}

void Robot::Control(const Action& action, const mjModel& model, const mjtNum* qpos,
                    mjtNum* ctrl) const {
  const auto given = [&](int id) {
    // The action box's bounds are float32.
    const double value = action.values[static_cast<size_t>(id)];
    if (options_.normalized) return Limits{-1, 1}.Clip(value);
    return Limits{static_cast<float>(model.actuator_ctrlrange[2 * id]),
                  static_cast<float>(model.actuator_ctrlrange[2 * id + 1])}
        .Clip(value);
  };
  for (int id = 0; id < model.nu; ++id) {
    if (is_configured_[static_cast<size_t>(id)]) continue;
    const bool map = options_.normalized && !(configured_ && options_.raw_unconfigured);
    ctrl[id] =
        map ? Map(given(id), model.actuator_ctrlrange[2 * id], model.actuator_ctrlrange[2 * id + 1])
            : given(id);
  }
  for (const Actuator& actuator : actuators_) {
    const double now = qpos[actuator.address];
    double control = given(actuator.id);
    if (options_.velocity_mode) {
      if (options_.normalized)
        control = Map(control, actuator.velocity.low, actuator.velocity.high);
      control = now + control * step_duration_;
    } else {
      if (options_.normalized)
        control = Map(control, actuator.position.low, actuator.position.high);
      control = now + actuator.velocity.Clip((control - now) / step_duration_) * step_duration_;
    }
    control = actuator.position.Clip(control);
    if (options_.float32_controls && action.dtype == v1::DTYPE_FLOAT32)
      control = static_cast<float>(control);
    ctrl[actuator.id] = control;
  }
}

void Robot::LimitStart(mjtNum* qpos, mjtNum* qvel) const {
  for (const Actuator& actuator : actuators_)
    qpos[actuator.address] = actuator.position.Clip(qpos[actuator.address]);
  for (const Sensor& sensor : sensors_) {
    if (!sensor.passive) continue;
    mjtNum& value = (sensor.velocity ? qvel : qpos)[sensor.address];
    value = sensor.range.Clip(value);
  }
}

void Robot::Sense(mjtNum* qpos, mjtNum* qvel, NumpyRng& rng) const {
  for (const Sensor& sensor : sensors_) {
    mjtNum& value = (sensor.velocity ? qvel : qpos)[sensor.address];
    double reading = value;
    if (sensor.cutoff > 0) reading = Limits{-sensor.cutoff, sensor.cutoff}.Clip(reading);
    reading = sensor.range.Clip(reading);
    if (options_.noise_scale != 0)
      reading += options_.noise_scale * sensor.noise * rng.Uniform(-1, 1);
    if (options_.clamp_sensors) value = reading;
  }
}

void Robot::SkipReadings(int count, NumpyRng& rng) const {
  if (options_.noise_scale == 0) return;
  for (size_t k = 0; k < static_cast<size_t>(count) * sensors_.size(); ++k) rng.Uniform(-1, 1);
}

std::vector<Robot::JointRange> Robot::ActuatorRanges() const {
  std::vector<JointRange> ranges;
  for (const Actuator& actuator : actuators_)
    ranges.push_back({actuator.address, actuator.position.low, actuator.position.high});
  return ranges;
}

}  // namespace hivewire
