#include "server/tasks/robohive/robot.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "server/sim/model.h"

namespace hivewire {
namespace {

constexpr char kArm[] = R"(
  <mujoco>
    <worldbody>
      <body>
        <joint name="a" axis="0 0 1" range="-2 2"/><geom size="0.1"/>
        <body pos="1 0 0"><joint name="b" axis="0 0 1"/><geom size="0.1"/></body>
      </body>
    </worldbody>
    <actuator>
      <position name="drive_a" joint="a" ctrlrange="-4 4" ctrllimited="true"/>
      <position name="drive_b" joint="b" ctrlrange="0 4" ctrllimited="true"/>
    </actuator>
    <sensor>
      <jointpos name="read_a" joint="a"/>
      <jointvel name="read_b" joint="b"/>
      <framepos name="read_place" objtype="body" objname="world"/>
    </sensor>
  </mujoco>)";

// Drives and reads a; b is only read.
v1::RobotConfig Config() {
  v1::RobotConfig config;
  v1::RobotDevice& arm = *config.add_device();
  v1::RobotSensor& position = *arm.add_sensor();
  position.set_name("read_a");
  position.mutable_range()->set_low(-1);
  position.mutable_range()->set_high(1);
  position.set_noise(0.5);
  v1::RobotActuator& drive = *arm.add_actuator();
  drive.set_name("drive_a");
  drive.mutable_position()->set_low(-1);
  drive.mutable_position()->set_high(3);
  drive.mutable_velocity()->set_low(-2);
  drive.mutable_velocity()->set_high(2);
  v1::RobotSensor& velocity = *config.add_device()->add_sensor();
  velocity.set_name("read_b");
  velocity.mutable_range()->set_low(0);
  velocity.mutable_range()->set_high(0.25);
  return config;
}

class RobotTest : public testing::Test {
 protected:
  static constexpr double kStep = 0.5;  // s

  Robot Make(const Robot::Options& options, bool configured = true) const {
    return Robot::Create(configured ? &config_ : nullptr, *model_->get(), kStep, options).value();
  }

  std::vector<double> Control(const Robot& robot, const std::vector<double>& action,
                              v1::DType dtype = v1::DTYPE_FLOAT64) const {
    const double qpos[] = {0.5, 0};
    std::vector<double> ctrl(2);
    robot.Control({action, dtype}, *model_->get(), qpos, ctrl.data());
    return ctrl;
  }

  std::shared_ptr<const Model> model_ = Model::FromXml(kArm, "arm").value();
  v1::RobotConfig config_ = Config();
};

TEST_F(RobotTest, WithoutAConfigActionsSpanTheControlRanges) {
  EXPECT_EQ(Control(Make({}, false), {0.5, -1}), (std::vector<double>{2, 0}));
  EXPECT_EQ(Control(Make({}, false), {7, -7}), (std::vector<double>{4, 0}));
  EXPECT_EQ(Control(Make({.normalized = false}, false), {0.5, 9}), (std::vector<double>{0.5, 4}));
}

TEST_F(RobotTest, APositionIsApproachedNoFasterThanAllowed) {
  EXPECT_EQ(Control(Make({}), {-0.5, 0})[0], 0);  // 0.5 away
  EXPECT_EQ(Control(Make({}), {1, 0})[0], 1.5);   // 2.5 away, 2 rad/s for half a second
  EXPECT_EQ(Control(Make({}), {-1, 0})[0], -0.5);
}

TEST_F(RobotTest, AVelocityLeadsToAPositionWithinLimits) {
  const Robot robot = Make({.velocity_mode = true});
  EXPECT_EQ(Control(robot, {1, 0})[0], 1.5);
  EXPECT_EQ(Control(robot, {0, 0})[0], 0.5);
}

TEST_F(RobotTest, AnActuatorThatTheConfigLacksGetsTheActionUnlessToldOtherwise) {
  EXPECT_EQ(Control(Make({}), {0, 0.25})[1], 0.25);
  EXPECT_EQ(Control(Make({.raw_unconfigured = false}), {0, 0.25})[1], 2.5);
}

TEST_F(RobotTest, ControlsAreRoundedAsActionsAreUnlessToldOtherwise) {
  const std::vector<double> action = {static_cast<float>(0.1), 0};
  const double exact = Control(Make({.float32_controls = false}), action, v1::DTYPE_FLOAT32)[0];
  EXPECT_NE(exact, static_cast<float>(exact));
  EXPECT_EQ(Control(Make({}), action, v1::DTYPE_FLOAT32)[0], static_cast<float>(exact));
  EXPECT_EQ(Control(Make({}), action, v1::DTYPE_FLOAT64)[0], exact);
}

TEST_F(RobotTest, SensorsWriteWhatTheyCanReadIntoTheState) {
  NumpyRng rng(1);
  double qpos[] = {1.5, 9}, qvel[] = {5, 0.5};
  Make({}).Sense(qpos, qvel, rng);
  EXPECT_EQ(qpos[0], 1);
  EXPECT_EQ(qpos[1], 9);
  EXPECT_EQ(qvel[0], 5);
  EXPECT_EQ(qvel[1], 0.25);
  double free[] = {1.5, 9};
  Make({.clamp_sensors = false}).Sense(free, qvel, rng);
  EXPECT_EQ(free[0], 1.5);
}

TEST_F(RobotTest, NoiseIsOneDrawASensor) {
  NumpyRng rng(5), same(5);
  double qpos[] = {0, 0}, qvel[] = {0, 0};
  Make({.noise_scale = 2}).Sense(qpos, qvel, rng);
  EXPECT_EQ(qpos[0], 2 * 0.5 * same.Uniform(-1, 1));
  same.Uniform(-1, 1);
  EXPECT_EQ(rng.NextUint64(), same.NextUint64());
}

TEST_F(RobotTest, AStartLiesWithinActuatorsLimitsAndPassiveSensorsRanges) {
  double qpos[] = {2, 9}, qvel[] = {9, 9};
  Make({}).LimitStart(qpos, qvel);
  EXPECT_EQ(qpos[0], 2);  // the actuator allows 3, whatever the sensor reads
  EXPECT_EQ(qvel[0], 9);
  EXPECT_EQ(qvel[1], 0.25);
  qpos[0] = -7;
  Make({}).LimitStart(qpos, qvel);
  EXPECT_EQ(qpos[0], -1);
}

TEST_F(RobotTest, AConfigThatDoesNotFitIsRefused) {
  for (const char* name : {"read_nothing", "read_place"}) {
    config_.mutable_device(0)->mutable_sensor(0)->set_name(name);
    const auto robot = Robot::Create(&config_, *model_->get(), kStep, {});
    EXPECT_EQ(FieldOf(robot.status()), "options.robot") << name;
  }
}

}  // namespace
}  // namespace hivewire
