#include "server/tasks/composed/composed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/tasks/registry.h"
#include "server/tasks/robohive/robohive.h"
#include "server/tasks/testing/allocations.h"
#include "server/tasks/testing/shared_folder.h"
#include "server/tasks/testing/task_runner.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

// A cart on a rail, pushed by one motor, with a sphere above it that can be placed.
constexpr char kCart[] = R"(<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <camera name="side" pos="0 -2 0"/>
    <camera name="top" pos="0 0 2"/>
    <body name="cart">
      <joint name="rail" type="slide" axis="1 0 0"/>
      <geom size="0.1" mass="2"/>
      <site name="hook"/>
    </body>
    <body name="target" mocap="true" pos="0.5 0 0"><site name="target"/></body>
  </worldbody>
  <actuator>
    <motor name="push" joint="rail" ctrlrange="-4 8"/>
    <motor name="free" joint="rail" ctrllimited="false"/>
  </actuator>
</mujoco>
)";

// An asset root with the cart and one env, whose `composed` is `terms` below the model's line.
class ComposedTest : public testing::Test {
 protected:
  ComposedTest() {
    root_ = fs::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    fs::create_directories(root_);
    std::ofstream(root_ / "cart.xml") << kCart;
  }

  absl::StatusOr<std::shared_ptr<const Task>> Make(const std::string& terms) {
    Registry registry;
    EXPECT_EQ(RegisterComposed(registry), absl::OkStatus());
    std::ofstream(root_ / "cart.textproto") << "envs {\n"
                                               "  id: \"Cart-v0\"\n"
                                               "  max_episode_steps: 50\n"
                                               "  composed {\n"
                                               "    model: \"cart.xml\"\n"
                                            << terms << "  }\n}\n";
    // With a slash at the end, as people type it.
    const absl::Status status = registry.AddAssetRoot(root_.string() + "/");
    if (!status.ok()) return status;
    return registry.Make("Cart-v0", {});
  }

  TaskRunner Run(const std::string& terms) {
    auto task = Make(terms);
    EXPECT_TRUE(task.ok()) << task.status();
    TaskRunner env(*task);
    EXPECT_EQ(env.Reset(42), absl::OkStatus());
    return env;
  }

  std::string Error(const std::string& terms) {
    const absl::Status status = Make(terms).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  // What an error in the env starts with, if it stands in this line of the file.
  std::string AtLine(int line) {
    return (root_ / "cart.textproto").string() + ":" + std::to_string(line) + ": env \"Cart-v0\": ";
  }

  fs::path root_;
};

constexpr char kPosition[] = "observation { name: 'x' value { joint_position {} } }\n";

TEST_F(ComposedTest, SpecDescribesTheEnv) {
  const auto task = *Make(
      "frame_skip: 5\n"
      "observation { name: 'x' value { joint_position {} } }\n"
      "observation { name: 'speed' value { joint_velocity {} then { apply: NORM } } }\n"
      "reward { name: 'alive' value { constant { values: 1 } } }\n"
      "info { name: 'success' value { time {} then { above: 1 } } }\n");
  const v1::EnvSpec& spec = task->spec();
  EXPECT_EQ(spec.id(), "Cart-v0");
  EXPECT_EQ(spec.max_episode_steps(), 50);
  EXPECT_EQ(spec.frame_skip(), 5);
  EXPECT_DOUBLE_EQ(spec.control_dt(), 0.05);
  EXPECT_EQ(spec.engine(), "mujoco-3.17.0");
  ASSERT_EQ(spec.observation_size(), 2);
  EXPECT_EQ(spec.observation(0).name(), "x");
  EXPECT_THAT(spec.observation(0).shape(), ElementsAre(1));
  EXPECT_THAT(spec.observation(0).element_names(), ElementsAre("rail"));
  EXPECT_THAT(spec.observation(1).shape(), IsEmpty());
  ASSERT_EQ(spec.info_size(), 2);
  EXPECT_EQ(spec.info(0).name(), "reward.alive");
  EXPECT_FALSE(spec.info(0).in_reset());
  EXPECT_EQ(spec.info(1).name(), "success");
  EXPECT_TRUE(spec.info(1).in_reset());
  EXPECT_THAT(spec.cameras(), ElementsAre("side", "top"));
}

TEST_F(ComposedTest, ObservationsCanBeOneVector) {
  TaskRunner env =
      Run("flat_observation: true\n"
          "observation { name: 'speed' value { joint_velocity {} then { apply: NORM } } }\n"
          "observation { name: 'target' value { position { body: 'target' } } }\n");
  EXPECT_THAT(env.observation(), ElementsAre(0, 0.5, 0, 0));
  EXPECT_THAT(env.task().spec().observation(0).element_names(),
              ElementsAre("speed", "target.x", "target.y", "target.z"));
}

TEST_F(ComposedTest, StepsTheEngineFrameSkipTimes) {
  TaskRunner env =
      Run("frame_skip: 5\n action { actuator: 'push' }\n"
          "observation { name: 'time' value { time {} } }\n"
          "observation { name: 'speed' value { joint_velocity {} } }\n");
  env.Step({4});
  EXPECT_NEAR(env.observation("time")[0], 0.05, 1e-12);
  // 4 N on 2 kg for 0.05 s.
  EXPECT_NEAR(env.observation("speed")[0], 0.1, 1e-9);
}

TEST_F(ComposedTest, QuantitiesAreThoseOfTheStateAfterTheStep) {
  TaskRunner env =
      Run("action { actuator: 'push' }\n"
          "observation { name: 'x' value { joint_position {} } }\n"
          "observation { name: 'hook' value { position { site: 'hook' } then { pick { index: 0 } } "
          "} }\n");
  for (int i = 0; i < 3; ++i) env.Step({4});
  EXPECT_GT(env.observation("x")[0], 0);
  EXPECT_EQ(env.observation("x"), env.observation("hook"));
}

TEST_F(ComposedTest, TheActionIsTheControlRangeUnlessItIsNormalized) {
  const auto raw = *Make(kPosition);
  EXPECT_THAT(raw->spec().action(0).low(), ElementsAre(-4, -INFINITY));
  EXPECT_THAT(raw->spec().action(0).high(), ElementsAre(8, INFINITY));
  EXPECT_THAT(raw->spec().action(0).element_names(), ElementsAre("push", "free"));

  TaskRunner env = Run(std::string("action { actuator: 'push' normalized: true }\n") +
                       "observation { name: 'control' value { control { name: 'push' } } }\n");
  EXPECT_THAT(env.task().spec().action(0).low(), ElementsAre(-1));
  env.Step({-1});
  EXPECT_THAT(env.observation("control"), ElementsAre(-4));
  env.Step({0});
  EXPECT_THAT(env.observation("control"), ElementsAre(2));
  env.Step({7});
  EXPECT_THAT(env.observation("control"), ElementsAre(8));
}

TEST_F(ComposedTest, RewardIsTheWeightedSumAndEachTermIsInfo) {
  TaskRunner env =
      Run("action { actuator: 'push' }\n" + std::string(kPosition) +
          "reward { name: 'alive' weight: 3 value { constant { values: 1 } } }\n"
          "reward { name: 'effort' weight: -0.5 value { action {} then { apply: SQUARE } } }\n"
          "reward { name: 'far' value { constant { values: 2 } } }\n");
  const Outcome outcome = env.Step({2});
  EXPECT_EQ(outcome.reward, 3.0);
  EXPECT_THAT(env.info("reward.alive"), ElementsAre(3));
  EXPECT_THAT(env.info("reward.effort"), ElementsAre(-2));
  EXPECT_THAT(env.info("reward.far"), ElementsAre(2));
}

TEST_F(ComposedTest, ABonusIsPaidUnderItsThreshold) {
  TaskRunner env =
      Run("action { actuator: 'push' }\n" + std::string(kPosition) +
          "reward { name: 'there' weight: 10 value {\n"
          "  distance { from { site: 'hook' } to { site: 'target' } } then { below: 0.3 } } }\n");
  double reward = 0;
  int steps = 0;
  while (reward == 0 && steps < 100) {
    EXPECT_LE(env.observation("x")[0], 0.2);
    reward = env.Step({8}).reward;
    ++steps;
  }
  EXPECT_EQ(reward, 10);
  EXPECT_GT(env.observation("x")[0], 0.2);
}

TEST_F(ComposedTest, AnEpisodeTerminatesWhenATermHolds) {
  TaskRunner env = Run("action { actuator: 'push' }\n" + std::string(kPosition) +
                       "termination { name: 'off' value { joint_position {} then { outside { low: "
                       "-1 high: 0.1 } } } }\n"
                       "termination { name: 'never' value { constant { values: 0 } } }\n");
  bool terminated = false;
  for (int i = 0; i < 100 && !terminated; ++i) {
    terminated = env.Step({8}).terminated;
    EXPECT_EQ(terminated, env.observation("x")[0] > 0.1);
  }
  EXPECT_TRUE(terminated);
}

TEST_F(ComposedTest, TheLastTwoActionsAreZeroAfterAReset) {
  TaskRunner env =
      Run("observation { name: 'now' value { action {} } }\n"
          "observation { name: 'before' value { previous_action {} } }\n");
  env.Step({1, 2});
  env.Step({3, 4});
  EXPECT_THAT(env.observation("now"), ElementsAre(3, 4));
  EXPECT_THAT(env.observation("before"), ElementsAre(1, 2));
  ASSERT_EQ(env.ResetOn(), absl::OkStatus());
  EXPECT_THAT(env.observation("now"), Each(0));
  EXPECT_THAT(env.observation("before"), Each(0));
}

TEST_F(ComposedTest, InfoTermsAreSetByAReset) {
  TaskRunner env = Run(std::string(kPosition) +
                       "info { name: 'gap' value { distance { from { site: 'hook' } to { site: "
                       "'target' } } } }\n");
  EXPECT_THAT(env.info("gap"), ElementsAre(0.5));
}

TEST_F(ComposedTest, TheSameSeedStartsTheSameEpisode) {
  const std::string terms =
      std::string(kPosition) +
      "start { randomize { joint_position {} uniform { low: -0.1 high: 0.1 } } }\n";
  TaskRunner env = Run(terms);
  const auto first = env.observation("x");
  EXPECT_EQ(first[0], NumpyRng(42).Uniform(-0.1, 0.1));
  ASSERT_EQ(env.ResetOn(), absl::OkStatus());
  EXPECT_NE(env.observation("x"), first);
  ASSERT_EQ(env.Reset(42), absl::OkStatus());
  EXPECT_EQ(env.observation("x"), first);
}

TEST_F(ComposedTest, AResetTakesNoOptions) {
  TaskRunner env = Run(kPosition);
  EXPECT_EQ(env.Reset(0, {{"low", v1::Value()}}).message(),
            "unknown option \"low\"; there are none");
}

TEST_F(ComposedTest, RenderingOffersTheNamedCamerasAndTheView) {
  const auto task = *Make(std::string(kPosition) +
                          "camera: 'top'\n"
                          "view { track_body: 'cart' distance: 3 lookat: [0, 0, 1] }\n");
  EXPECT_THAT(task->spec().cameras(), ElementsAre("top"));
  EXPECT_EQ(task->spec().default_camera().track_body(), 1);
  EXPECT_EQ(task->spec().default_camera().distance(), 3);
}

TEST_F(ComposedTest, AMistakeIsRefusedWithFileLineFieldAndNearestName) {
  EXPECT_EQ(Error("observation {\n"
                  "  name: 'x'\n"
                  "  value {\n"
                  "    joint_position { name: 'rial' }\n"
                  "  }\n"
                  "}\n"),
            AtLine(9) +
                "composed.observation[0].value.joint_position.name[0]: the model has no "
                "joint \"rial\"; nearest: rail");
  EXPECT_EQ(Error(std::string(kPosition) + "action {\n actuator: 'psuh'\n }\n"),
            AtLine(8) +
                "composed.action.actuator[0]: the model has no actuator \"psuh\"; "
                "nearest: push");
  EXPECT_EQ(Error(std::string(kPosition) + "camera: 'topp'\n"),
            AtLine(7) + "composed.camera[0]: the model has no camera \"topp\"; nearest: top");
  EXPECT_EQ(Error(std::string(kPosition) + "start {\n\n keyframe: 'k' }\n"),
            AtLine(9) + "composed.start.keyframe: the model has no key \"k\"; there are none");
}

TEST_F(ComposedTest, AMisspeltFieldIsRefusedWithTheNearest) {
  const std::string error = Error("observaton { }\n");
  EXPECT_THAT(error, HasSubstr("cart.textproto:6:"));
  EXPECT_THAT(error, HasSubstr("no field named \"observaton\"; nearest: observation"));
}

TEST_F(ComposedTest, AModelThatDoesNotCompileIsRefusedWithMuJoCosMessage) {
  std::ofstream(root_ / "cart.xml") << "<mujoco>\n<worldbody><bdy/></worldbody></mujoco>";
  EXPECT_THAT(Error(kPosition), HasSubstr("cart.textproto:5: env \"Cart-v0\": composed.model: "));
  EXPECT_THAT(Error(kPosition), HasSubstr("bdy"));
  fs::remove(root_ / "cart.xml");
  EXPECT_THAT(Error(kPosition), HasSubstr("cart.xml: no such file"));
}

TEST_F(ComposedTest, ARewardThatIsNoScalarIsRefusedWithTheCure) {
  EXPECT_THAT(Error(std::string(kPosition) + "reward { name: 'a' value { action {} } }\n"),
              HasSubstr(AtLine(7) + "composed.reward[0].value: has 2 elements; a reward needs one: "
                                    "add a step such as then { apply: SUM }"));
}

TEST_F(ComposedTest, TermsNeedNamesOfTheirOwn) {
  EXPECT_EQ(Error("observation { value { time {} } }\n"),
            AtLine(6) + "composed.observation[0].name: is empty");
  EXPECT_EQ(Error(std::string(kPosition) + kPosition),
            AtLine(7) + "composed.observation[1].name: \"x\" is taken");
  EXPECT_EQ(Error(std::string(kPosition) + "reward { name: 'a' value { time {} } }\n"
                                           "info { name: 'reward.a' value { time {} } }\n"),
            AtLine(8) + "composed.info[0].name: \"reward.a\" is a reward's");
}

TEST_F(ComposedTest, AnEnvThatShowsNothingIsRefused) {
  EXPECT_EQ(Error(""), AtLine(4) + "composed.observation: at least one term is needed");
}

TEST_F(ComposedTest, NumbersOutOfRangeAreRefused) {
  EXPECT_EQ(Error(std::string(kPosition) + "frame_skip: -2\n"),
            AtLine(7) + "composed.frame_skip: -2 is below 1");
  EXPECT_EQ(Error(std::string(kPosition) + "view { lookat: 1 }\n"),
            AtLine(7) + "composed.view.lookat: has 1 values; a point has 3");
  EXPECT_THAT(Error(std::string(kPosition) + "action { normalized: true }\n"),
              HasSubstr("actuator \"free\" has no ctrlrange"));
}

std::string Documentation() {
  std::ifstream file("docs/envs.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(ComposedTest, TheRecipesOfTheDocumentationMakeAnEnv) {
  std::ofstream(root_ / "cart.xml") << R"(<mujoco><worldbody>
    <body name="torso"><freejoint/><geom size="0.1"/><site name="tip"/></body>
    <site name="goal"/>
    </worldbody><actuator><motor site="tip"/></actuator></mujoco>)";
  const std::string docs = Documentation();
  const std::string fence = "```textproto\n";
  const size_t begin = docs.find(fence, docs.find("more recipes")) + fence.size();
  const auto task = Make(kPosition + docs.substr(begin, docs.find("```", begin) - begin));
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ((*task)->spec().info_size(), 5);
}

// The env of the README, which must stay as good as it says.
class ReachTest : public testing::Test {
 protected:
  ReachTest() {
    EXPECT_EQ(RegisterComposed(registry_), absl::OkStatus());
    EXPECT_EQ(registry_.AddAssetRoot("examples/reach"), absl::OkStatus());
    auto task = registry_.Make("ReachTarget-v0", {});
    EXPECT_TRUE(task.ok()) << task.status();
    task_ = *task;
  }

  Registry registry_;
  std::shared_ptr<const Task> task_;
};

TEST_F(ComposedTest, ARobotAndImagesAreRefusedByField) {
  const std::string position = "observation { name: 'x' value { joint_position {} } } ";
  const auto refusal = [&](const std::string& terms) {
    return std::string(Make(position + terms).status().message());
  };
  EXPECT_THAT(refusal("action { robot { name: 'franka_rech_v0' } }"),
              AllOf(HasSubstr("composed.action.robot.name"), HasSubstr("franka_reach_v0")));
  EXPECT_THAT(refusal("action { robot { name: 'franka_reach_v0' } }"),
              HasSubstr("composed.action.robot: "));
  EXPECT_THAT(refusal("action { actuator: 'push' robot {} }"),
              HasSubstr("composed.action.actuator"));
  EXPECT_THAT(refusal("visual_key: 'rgb:sied:8x8:2d'"),
              AllOf(HasSubstr("composed.visual_key"), HasSubstr("side")));
  EXPECT_THAT(refusal("robohive_model: 'arms/franka/assets/franka_reach_v0.xml'"),
              HasSubstr("composed.model"));
  EXPECT_THAT(refusal("start { randomize { site_position: 'hok' uniform { low: 0 high: 1 } } }"),
              AllOf(HasSubstr("composed.start.randomize[0].site_position"), HasSubstr("hook")));
}

TEST_F(ComposedTest, SitesAndBodiesArePlacedForEachEnvAlone) {
  const auto task = Make(
      "observation { name: 'hook' value { vector { from { body: 'cart' } to { site: 'hook' } } } } "
      "observation { name: 'cart' value { position { body: 'cart' } } } "
      "start { randomize { site_position: 'hook' replace: true uniform { low: 1 high: 2 } } "
      "        randomize { body_position: 'cart' uniform { low: [0, 3, 0] high: [0, 4, 0] } } }");
  ASSERT_TRUE(task.ok()) << task.status();
  TaskRunner one(*task), other(*task);
  ASSERT_EQ(one.Reset(0), absl::OkStatus());
  ASSERT_EQ(other.Reset(1), absl::OkStatus());
  const std::vector<double> hook = one.observation("hook");
  EXPECT_THAT(hook, Each(AllOf(Ge(1), Le(2))));
  EXPECT_NE(hook, other.observation("hook"));
  EXPECT_GE(one.observation("cart")[1], 3);
  one.Step({0, 0});
  EXPECT_EQ(one.observation("hook"), hook);
}

// RoboHive's FrankaReachRandom-v0 from terms.
TEST(FrankaReachFromTerms, IsRoboHivesToTheLastBit) {
  if (!UseSharedSimHive()) GTEST_SKIP() << "NOT TESTED: no SimHive (deploy/fetch_simhive.sh)";
  Registry registry;
  ASSERT_EQ(RegisterComposed(registry), absl::OkStatus());
  ASSERT_EQ(RegisterRoboHive(registry), absl::OkStatus());
  ASSERT_EQ(registry.AddAssetRoot("examples/robohive"), absl::OkStatus());
  TaskRunner terms(registry.Make("FrankaReachTerms-v0", {}).value());
  TaskRunner original(registry.Make("FrankaReachRandom-v0", {}).value());
  NumpyRng rng(7);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    ASSERT_EQ(terms.Reset(seed), absl::OkStatus());
    ASSERT_EQ(original.Reset(seed), absl::OkStatus());
    EXPECT_EQ(terms.observation(), original.observation());
    for (int step = 0; step < 60; ++step) {
      std::vector<double> action(9);
      for (double& element : action) element = static_cast<float>(rng.Uniform(-1.2, 1.2));
      const Outcome ours = terms.Step(action), theirs = original.Step(action);
      ASSERT_EQ(terms.observation(), original.observation()) << step;
      EXPECT_EQ(ours.reward, theirs.reward) << step;
      EXPECT_EQ(ours.terminated, theirs.terminated) << step;
      EXPECT_EQ(terms.info("solved"), original.info("solved")) << step;
    }
  }
  std::ifstream example("examples/robohive/franka_reach.textproto");
  const std::string text(std::istreambuf_iterator<char>(example), {});
  EXPECT_THAT(Documentation(), HasSubstr(text.substr(text.find("envs {"))));
}

TEST_F(ReachTest, TheDocumentationShowsItAsItIs) {
  std::ifstream example("examples/reach/reach.textproto");
  const std::string text(std::istreambuf_iterator<char>(example), {});
  EXPECT_THAT(Documentation(), HasSubstr(text.substr(text.find("envs {"))));
}

TEST_F(ReachTest, AStepAllocatesNothing) {
  TaskRunner env(task_);
  ASSERT_EQ(env.Reset(0), absl::OkStatus());
  const std::vector<double> action = {0.5, -0.5};
  env.Step(action);
  const int64_t before = AllocationCount();
  ASSERT_GT(before, 0);
  for (int step = 0; step < 5; ++step) env.Step(action);
  EXPECT_EQ(AllocationCount(), before);
}

TEST_F(ReachTest, AControllerThatTurnsTowardsTheTargetEarnsFarMoreThanNone) {
  constexpr int kSteps = 100;
  constexpr int kEpisodes = 10;
  double idle_return = 0;
  double controlled_return = 0;
  for (int seed = 0; seed < kEpisodes; ++seed) {
    TaskRunner idle(task_), controlled(task_);
    ASSERT_EQ(idle.Reset(seed), absl::OkStatus());
    ASSERT_EQ(controlled.Reset(seed), absl::OkStatus());
    for (int step = 0; step < kSteps; ++step) {
      idle_return += idle.Step({0, 0}).reward;
      // The transposed Jacobian of the planar arm pulls the fingertip along the error.
      const auto angle_cos = controlled.observation("angle_cos");
      const auto angle_sin = controlled.observation("angle_sin");
      const auto velocity = controlled.observation("velocity");
      const auto error = controlled.observation("error");
      const double cos_sum = angle_cos[0] * angle_cos[1] - angle_sin[0] * angle_sin[1];
      const double sin_sum = angle_sin[0] * angle_cos[1] + angle_cos[0] * angle_sin[1];
      const double elbow = -0.11 * sin_sum * error[0] + 0.11 * cos_sum * error[1];
      const double shoulder =
          elbow - 0.12 * angle_sin[0] * error[0] + 0.12 * angle_cos[0] * error[1];
      const std::vector<double> action = {std::clamp(600 * shoulder - 6 * velocity[0], -1.0, 1.0),
                                          std::clamp(600 * elbow - 6 * velocity[1], -1.0, 1.0)};
      controlled_return += controlled.Step(action).reward;
    }
  }
  EXPECT_LT(idle_return / kEpisodes, -60);
  EXPECT_GT(controlled_return / kEpisodes, 10);
}

}  // namespace
}  // namespace hivewire
