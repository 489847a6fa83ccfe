#include "server/tasks/composed/start.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/sim/model.h"
#include "server/sim/numpy_rng.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

using ::testing::HasSubstr;

constexpr char kModel[] = R"(
  <mujoco>
    <worldbody>
      <body name="ball" pos="0 0 1"><freejoint name="root"/><geom size="0.1"/></body>
      <body name="arm"><joint name="hinge" axis="0 0 1"/><geom size="0.1"/></body>
      <body name="target" mocap="true" pos="1 2 3"/>
    </worldbody>
    <keyframe><key name="bent" qpos="0 0 2 1 0 0 0 0.5"/></keyframe>
  </mujoco>)";

constexpr int kHinge = 7;

class StartTest : public testing::Test {
 protected:
  StartTest() : simulation_(Simulation::Create(Model::FromXml(kModel, "test").value()).value()) {}

  mjData& data() { return *simulation_->data(); }

  absl::StatusOr<StartState> Compile(const std::string& text) {
    v1::Start proto;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
    return StartState::Compile(proto, simulation_->model(), "start");
  }

  void Draw(const std::string& text, NumpyRng& rng) {
    const auto start = Compile(text);
    ASSERT_TRUE(start.ok()) << start.status();
    simulation_->Reset();
    start->Draw(simulation_->model(), &data(), rng, {});
  }

  std::string CompileError(const std::string& text) {
    const absl::Status status = Compile(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  std::unique_ptr<Simulation> simulation_;
  NumpyRng rng_{42};
};

TEST_F(StartTest, WithoutTermsItIsTheModelsReferenceState) {
  Draw("", rng_);
  EXPECT_EQ(data().qpos[2], 1);
  EXPECT_EQ(data().qpos[kHinge], 0);
  EXPECT_EQ(rng_.NextUint64(), NumpyRng(42).NextUint64());
}

TEST_F(StartTest, NoiseIsAddedToTheKeyframe) {
  Draw(
      "keyframe: 'bent' "
      "randomize { joint_position { name: 'hinge' } uniform { low: -0.1 high: 0.1 } }",
      rng_);
  EXPECT_EQ(data().qpos[2], 2);
  EXPECT_EQ(data().qpos[kHinge], 0.5 + NumpyRng(42).Uniform(-0.1, 0.1));
}

TEST_F(StartTest, AReplacedValueForgetsTheStart) {
  Draw(
      "keyframe: 'bent' randomize { joint_position { name: 'hinge' } replace: true "
      "uniform { low: -0.1 high: 0.1 } }",
      rng_);
  EXPECT_EQ(data().qpos[kHinge], NumpyRng(42).Uniform(-0.1, 0.1));
}

TEST_F(StartTest, DrawsFollowTheFileAndThenTheElements) {
  Draw(
      "randomize { mocap_position: 'target' uniform { low: [0, 10, 20] high: [1, 11, 21] } } "
      "randomize { joint_velocity { name: 'hinge' } normal { deviation: 2 } }",
      rng_);
  NumpyRng expected(42);
  EXPECT_EQ(data().mocap_pos[0], 1 + expected.Uniform(0, 1));
  EXPECT_EQ(data().mocap_pos[1], 2 + expected.Uniform(10, 11));
  EXPECT_EQ(data().mocap_pos[2], 3 + expected.Uniform(20, 21));
  EXPECT_EQ(data().qvel[6], expected.Normal(0, 2));
}

TEST_F(StartTest, TheSameSeedDrawsTheSameStates) {
  const std::string text = "randomize { joint_position {} normal { mean: 0.5 deviation: 0.1 } }";
  Draw(text, rng_);
  const double first = data().qpos[kHinge];
  Draw(text, rng_);
  const double second = data().qpos[kHinge];
  NumpyRng again(42);
  Draw(text, again);
  EXPECT_EQ(data().qpos[kHinge], first);
  EXPECT_NE(first, second);
  Draw(text, again);
  EXPECT_EQ(data().qpos[kHinge], second);
}

TEST_F(StartTest, QuaternionsStayOfUnitLength) {
  Draw("randomize { joint_position { name: 'root' } uniform { low: -1 high: 1 } }", rng_);
  EXPECT_NEAR(mju_norm(data().qpos + 3, 4), 1, 1e-12);
}

TEST_F(StartTest, MistakesAreRefusedWithTheirField) {
  EXPECT_EQ(CompileError("keyframe: 'bend'"),
            "start.keyframe: the model has no key \"bend\"; nearest: bent");
  EXPECT_THAT(CompileError("randomize { joint_position { name: 'hing' } uniform {} }"),
              HasSubstr("start.randomize[0].joint_position.name[0]: the model has no joint"));
  EXPECT_EQ(
      CompileError("randomize { uniform { low: 0 high: 1 } }"),
      "start.randomize[0]: one of joint_position, joint_velocity, mocap_position, site_position, "
      "body_position is needed");
  EXPECT_EQ(CompileError("randomize { joint_velocity {} }"),
            "start.randomize[0]: one of uniform, normal is needed");
  EXPECT_EQ(CompileError("randomize { mocap_position: 'target' uniform { low: [0, 1] high: 2 } }"),
            "start.randomize[0].uniform.low: has 2 values; needs 1 for all, or 3, one an element");
  EXPECT_EQ(CompileError("randomize { mocap_position: 'target' uniform { low: 1 high: 0 } }"),
            "start.randomize[0].uniform: low 1 is above high 0");
  EXPECT_EQ(CompileError("randomize { joint_velocity {} normal { deviation: -1 } }"),
            "start.randomize[0].normal.deviation: -1 is below 0");
  EXPECT_EQ(CompileError("randomize { joint_velocity {} normal { deviation: inf } }"),
            "start.randomize[0].normal.deviation[0]: is not finite");
}

TEST_F(StartTest, ABodyThatIsNoMocapIsRefusedWithTheCure) {
  EXPECT_THAT(CompileError("randomize { mocap_position: 'arm' uniform { low: 0 high: 1 } }"),
              HasSubstr("give it mocap=\"true\" in the MJCF"));
}

}  // namespace
}  // namespace hivewire
