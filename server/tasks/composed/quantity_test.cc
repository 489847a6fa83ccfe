#include "server/tasks/composed/quantity.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/sim/model.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kModel[] = R"(
  <mujoco>
    <worldbody>
      <body name="ball" pos="0 0 1">
        <freejoint name="root"/>
        <geom name="ball" size="0.1"/>
      </body>
      <body name="arm" pos="1 0 0">
        <joint name="shoulder" axis="0 0 1"/>
        <geom name="link" type="capsule" fromto="0 0 0 0.5 0 0" size="0.02"/>
        <site name="tip" pos="0.5 0 0"/>
      </body>
      <body name="target" mocap="true" pos="1 2 0"><site name="target"/></body>
    </worldbody>
    <actuator><motor name="turn" joint="shoulder" gear="3"/></actuator>
    <sensor>
      <jointpos name="encoder" joint="shoulder"/>
      <framepos name="tip_sensor" objtype="site" objname="tip"/>
    </sensor>
  </mujoco>)";

class QuantityTest : public testing::Test {
 protected:
  QuantityTest() : simulation_(Simulation::Create(Model::FromXml(kModel, "test").value()).value()) {
    data().qpos[kShoulder] = M_PI / 2;
    data().qvel[kShoulderSpeed] = 2;
    data().ctrl[0] = 0.5;
    data().time = 1.25;
    simulation_->Forward();
  }

  static constexpr int kShoulder = 7;
  static constexpr int kShoulderSpeed = 6;

  mjData& data() { return *simulation_->data(); }

  absl::StatusOr<Quantity> Compile(const std::string& text) {
    v1::Quantity proto;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
    return Quantity::Compile(proto, {simulation_->model(), {"turn"}}, "value");
  }

  std::vector<double> Evaluate(const std::string& text) {
    const auto quantity = Compile(text);
    if (!quantity.ok()) {
      ADD_FAILURE() << quantity.status();
      return {};
    }
    const Scene scene = {simulation_->model(), &data(), action_, previous_action_};
    std::vector<double> values(quantity->size());
    quantity->Evaluate(scene, values.data());
    EXPECT_EQ(quantity->Value(scene), values[0]);
    return values;
  }

  std::string CompileError(const std::string& text) {
    const absl::Status status = Compile(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_MODEL);
    return std::string(status.message());
  }

  std::unique_ptr<Simulation> simulation_;
  std::vector<double> action_ = {0.25};
  std::vector<double> previous_action_ = {-0.75};
};

MATCHER_P(Near, expected, "") { return std::abs(arg - expected) < 1e-12; }

TEST_F(QuantityTest, ReadsJointsByNameOrAll) {
  EXPECT_THAT(Evaluate("joint_position { name: 'shoulder' }"), ElementsAre(M_PI / 2));
  EXPECT_THAT(Evaluate("joint_position { name: 'root' }"), ElementsAre(0, 0, 1, 1, 0, 0, 0));
  EXPECT_THAT(Evaluate("joint_position {}"), ElementsAre(0, 0, 1, 1, 0, 0, 0, M_PI / 2));
  EXPECT_THAT(Evaluate("joint_velocity { name: ['shoulder', 'root'] }"),
              ElementsAre(2, 0, 0, 0, 0, 0, 0));
}

TEST_F(QuantityTest, ReadsPlacesInTheWorld) {
  EXPECT_THAT(Evaluate("position { body: 'ball' }"), ElementsAre(0, 0, 1));
  EXPECT_THAT(Evaluate("position { site: 'tip' }"), ElementsAre(Near(1), Near(0.5), Near(0)));
  EXPECT_THAT(Evaluate("position { geom: 'link' }"), ElementsAre(Near(1), Near(0.25), Near(0)));
  EXPECT_THAT(Evaluate("position { point { values: [7, 8, 9] } }"), ElementsAre(7, 8, 9));
}

TEST_F(QuantityTest, ReadsOrientations) {
  const double half = std::sqrt(0.5);
  EXPECT_THAT(Evaluate("quaternion { body: 'arm' }"),
              ElementsAre(Near(half), Near(0), Near(0), Near(half)));
  EXPECT_THAT(Evaluate("up { site: 'tip' }"), ElementsAre(Near(0), Near(0), Near(1)));
  EXPECT_THAT(Evaluate("quaternion { point { values: [0, 0, 0] } }"), ElementsAre(1, 0, 0, 0));
}

TEST_F(QuantityTest, ReadsVelocitiesInTheWorldsAxes) {
  EXPECT_THAT(Evaluate("angular_velocity { body: 'arm' }"), ElementsAre(Near(0), Near(0), Near(2)));
  // The tip is half a metre from an axis that turns at 2 rad/s.
  EXPECT_THAT(Evaluate("linear_velocity { site: 'tip' }"), ElementsAre(Near(-1), Near(0), Near(0)));
  // A body's own frame, not its centre of mass, which moves.
  EXPECT_THAT(Evaluate("linear_velocity { body: 'arm' }"), ElementsAre(Near(0), Near(0), Near(0)));
  EXPECT_THAT(Evaluate("linear_velocity { point { values: [1, 2, 3] } }"), ElementsAre(0, 0, 0));
}

TEST_F(QuantityTest, MeasuresFromOnePlaceToAnother) {
  EXPECT_THAT(Evaluate("vector { from { site: 'tip' } to { site: 'target' } }"),
              ElementsAre(Near(0), Near(1.5), Near(0)));
  EXPECT_THAT(Evaluate("distance { from { site: 'tip' } to { site: 'target' } }"),
              ElementsAre(Near(1.5)));
}

TEST_F(QuantityTest, ReadsSensorsActuatorsActionsAndTime) {
  EXPECT_THAT(Evaluate("sensor { name: 'tip_sensor' }"), ElementsAre(Near(1), Near(0.5), Near(0)));
  EXPECT_EQ(Evaluate("sensor {}").size(), 4u);
  EXPECT_THAT(Evaluate("actuator_force {}"), ElementsAre(0.5));
  EXPECT_THAT(Evaluate("control { name: 'turn' }"), ElementsAre(0.5));
  EXPECT_THAT(Evaluate("action {}"), ElementsAre(0.25));
  EXPECT_THAT(Evaluate("previous_action {}"), ElementsAre(-0.75));
  EXPECT_THAT(Evaluate("time {}"), ElementsAre(1.25));
}

TEST_F(QuantityTest, SubtractsElementByElementOrOneFromAll) {
  EXPECT_THAT(Evaluate("difference { left { action {} } right { previous_action {} } }"),
              ElementsAre(1));
  EXPECT_THAT(Evaluate("difference { left { constant { values: [5, 6] } } "
                       "right { constant { values: 1 } } }"),
              ElementsAre(4, 5));
  EXPECT_THAT(Evaluate("difference { left { constant { values: 1 } } "
                       "right { constant { values: [5, 6] } then { scale: 2 } } }"),
              ElementsAre(-9, -11));
  // Both sides need more room on the way than their values do.
  EXPECT_THAT(Evaluate("difference { left { joint_position {} then { apply: SUM } } "
                       "right { joint_position {} then { apply: MAXIMUM } } }"),
              ElementsAre(Near(2)));
}

TEST_F(QuantityTest, OperationsAreAppliedInOrder) {
  EXPECT_THAT(Evaluate("constant { values: [3, -4] } then { apply: NORM }"), ElementsAre(5));
  EXPECT_THAT(Evaluate("constant { values: [3, -4] } then [{ apply: SUM }, { apply: SQUARE }]"),
              ElementsAre(1));
  EXPECT_THAT(Evaluate("constant { values: [3, -4] } then [{ apply: SQUARE }, { apply: SUM }]"),
              ElementsAre(25));
  EXPECT_THAT(Evaluate("constant { values: [1, 2] } then [{ scale: -2 }, { offset: 1 }]"),
              ElementsAre(-1, -3));
}

TEST_F(QuantityTest, EveryFunctionComputesWhatItSays) {
  const std::string values = "constant { values: [3, -4] } then { apply: ";
  EXPECT_THAT(Evaluate(values + "SUM }"), ElementsAre(-1));
  EXPECT_THAT(Evaluate(values + "MEAN }"), ElementsAre(-0.5));
  EXPECT_THAT(Evaluate(values + "MINIMUM }"), ElementsAre(-4));
  EXPECT_THAT(Evaluate(values + "MAXIMUM }"), ElementsAre(3));
  EXPECT_THAT(Evaluate(values + "ABSOLUTE }"), ElementsAre(3, 4));
  EXPECT_THAT(Evaluate(values + "EXP }"), ElementsAre(std::exp(3), std::exp(-4)));
  EXPECT_THAT(Evaluate(values + "SIN }"), ElementsAre(std::sin(3), std::sin(-4)));
  EXPECT_THAT(Evaluate(values + "COS }"), ElementsAre(std::cos(3), std::cos(-4)));
  EXPECT_THAT(Evaluate(values + "TANH }"), ElementsAre(std::tanh(3), std::tanh(-4)));
}

TEST_F(QuantityTest, PicksElementsInAnyOrder) {
  EXPECT_THAT(Evaluate("constant { values: [1, 2, 3] } then { pick { index: [2, 0, 2, 1] } }"),
              ElementsAre(3, 1, 3, 2));
  const auto quantity = Compile("position { body: 'ball' } then { pick { index: 2 } }");
  EXPECT_THAT(quantity->element_names(), ElementsAre("z"));
}

TEST_F(QuantityTest, ProjectsOnADirection) {
  EXPECT_THAT(Evaluate("constant { values: [1, 2, 3] } then { dot { values: [1, 0, -1] } }"),
              ElementsAre(-2));
}

TEST_F(QuantityTest, ClipsAndCompares) {
  const std::string values = "constant { values: [-1, 0, 1] } then { ";
  EXPECT_THAT(Evaluate(values + "clip { high: 0.5 } }"), ElementsAre(-1, 0, 0.5));
  EXPECT_THAT(Evaluate(values + "below: 0 }"), ElementsAre(1, 0, 0));
  EXPECT_THAT(Evaluate(values + "above: 0 }"), ElementsAre(0, 0, 1));
  EXPECT_THAT(Evaluate(values + "inside { low: 0 high: 1 } }"), ElementsAre(0, 1, 1));
  EXPECT_THAT(Evaluate(values + "outside { low: 0 high: 1 } }"), ElementsAre(1, 0, 0));
}

TEST_F(QuantityTest, HoldsWhereAnyElementIsNotZero) {
  const Scene scene = {simulation_->model(), &data(), action_, previous_action_};
  EXPECT_FALSE(Compile("constant { values: [0, 0] }")->Holds(scene));
  EXPECT_TRUE(Compile("constant { values: [0, -1] }")->Holds(scene));
}

TEST_F(QuantityTest, NamesItsElements) {
  EXPECT_THAT(Compile("joint_position { name: ['shoulder'] }")->element_names(),
              ElementsAre("shoulder"));
  EXPECT_THAT(Compile("sensor { name: 'tip_sensor' }")->element_names(),
              ElementsAre("tip_sensor[0]", "tip_sensor[1]", "tip_sensor[2]"));
  EXPECT_THAT(Compile("action {}")->element_names(), ElementsAre("turn"));
  EXPECT_THAT(Compile("action {} then { apply: NORM }")->element_names(), IsEmpty());
}

TEST_F(QuantityTest, KnowsHowFarTheEngineMustCompute) {
  EXPECT_EQ(Compile("joint_position {}")->depth(), Depth::kState);
  EXPECT_EQ(Compile("position { body: 'ball' }")->depth(), Depth::kPosition);
  EXPECT_EQ(Compile("linear_velocity { body: 'ball' }")->depth(), Depth::kVelocity);
  EXPECT_EQ(Compile("sensor {}")->depth(), Depth::kForce);
  EXPECT_EQ(Compile("difference { left { time {} } right { distance { from { body: 'ball' } "
                    "to { body: 'arm' } } } }")
                ->depth(),
            Depth::kPosition);
}

TEST_F(QuantityTest, RefreshedToItsDepthItIsThatOfTheNewState) {
  const std::vector<std::pair<std::string, Depth>> quantities = {
      {"position { site: 'tip' }", Depth::kPosition},
      {"quaternion { body: 'arm' }", Depth::kPosition},
      {"linear_velocity { site: 'tip' }", Depth::kVelocity},
      {"sensor {}", Depth::kForce}};
  for (const auto& [text, depth] : quantities) {
    data().qpos[kShoulder] += 0.1;
    Refresh(simulation_->model(), &data(), depth);
    const std::vector<double> refreshed = Evaluate(text);
    simulation_->Forward();
    EXPECT_EQ(refreshed, Evaluate(text)) << text;
  }
}

TEST_F(QuantityTest, AnUnknownPartIsRefusedWithTheNearestName) {
  EXPECT_EQ(CompileError("joint_position { name: ['root', 'sholder'] }"),
            "value.joint_position.name[1]: the model has no joint \"sholder\"; nearest: shoulder");
  EXPECT_EQ(CompileError("position { site: 'tipp' }"),
            "value.position.site: the model has no site \"tipp\"; nearest: tip");
  EXPECT_EQ(CompileError("distance { from { body: 'arm' } to { body: 'bal' } }"),
            "value.distance.to.body: the model has no body \"bal\"; nearest: ball");
  EXPECT_THAT(CompileError("sensor { name: 'encodr' }"), HasSubstr("nearest: encoder"));
  EXPECT_THAT(CompileError("control { name: 'trun' }"), HasSubstr("nearest: turn"));
  EXPECT_THAT(CompileError("up { geom: 'lnik' }"), HasSubstr("nearest: link"));
}

TEST_F(QuantityTest, AMissingSourceIsRefusedWithThoseThereAre) {
  EXPECT_THAT(CompileError("then { apply: NORM }"),
              HasSubstr("value: has no source; one of joint_position, joint_velocity, "));
  EXPECT_EQ(CompileError("distance { from { body: 'arm' } }"),
            "value.distance.to: names no place; one of body, site, geom, point is needed");
  EXPECT_EQ(CompileError("constant {}"), "value.constant: has no values");
}

TEST_F(QuantityTest, SizesThatDoNotFitAreRefused) {
  EXPECT_EQ(CompileError("position { point { values: [1, 2] } }"),
            "value.position.point: has 2 values; a point has 3");
  EXPECT_EQ(CompileError("difference { left { up { body: 'arm' } } "
                         "right { constant { values: [1, 2] } } }"),
            "value.difference: left has 3 elements, right 2");
  EXPECT_EQ(CompileError("up { body: 'arm' } then { dot { values: [1, 2] } }"),
            "value.then[0].dot: has 2 values for 3 elements");
  EXPECT_EQ(CompileError("up { body: 'arm' } then [{ apply: NORM }, { pick { index: 1 } }]"),
            "value.then[1].pick.index[0]: 1 is not in 0 … 0");
}

TEST_F(QuantityTest, OperationsWithoutSenseAreRefused) {
  EXPECT_EQ(CompileError("time {} then {}"), "value.then[0]: has no operation");
  EXPECT_EQ(CompileError("time {} then { apply: FUNCTION_UNSPECIFIED }"),
            "value.then[0].apply: is no function");
  EXPECT_EQ(CompileError("time {} then { clip {} }"),
            "value.then[0].clip: has neither low nor high");
  EXPECT_EQ(CompileError("time {} then { inside { low: 2 high: 1 } }"),
            "value.then[0].inside: low 2 is above high 1");
  EXPECT_EQ(CompileError("time {} then { pick {} }"), "value.then[0].pick: picks nothing");
}

}  // namespace
}  // namespace hivewire
