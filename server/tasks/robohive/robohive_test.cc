// What holds for every env of the suite, and what its robot layer and model files do. Whether
// trajectories are RoboHive's is tests/parity:robohive_test's affair.
#include "server/tasks/robohive/robohive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/error.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/shared_folder.h"
#include "server/tasks/testing/task_runner.h"
#include "server/tasks/testing/values.h"

namespace hivewire {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ResultOf;

constexpr char kNoSimHive[] =
    "NOT TESTED: no SimHive on this machine; get it with deploy/fetch_simhive.sh";

const Registry& Suite() {
  static const Registry& registry = *[] {
    auto* made = new Registry;
    EXPECT_EQ(RegisterRoboHive(*made), absl::OkStatus());
    return made;
  }();
  return registry;
}

class RoboHive : public testing::Test {
 protected:
  void SetUp() override {
    if (!UseSharedSimHive()) GTEST_SKIP() << kNoSimHive;
  }

  static std::shared_ptr<const Task> Make(const std::string& id, const Options& options = {}) {
    const auto task = Suite().Make(id, options);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *task : nullptr;
  }

  static absl::Status Refusal(const std::string& id, const Options& options) {
    return Suite().Make(id, options).status();
  }
};

TEST(RoboHiveIds, AreThoseOfRoboHiveAndOfItsUsers) {
  std::map<std::string, int> by_class;
  int legacy = 0, visual = 0;
  for (const v1::EnvEntry* entry : Suite().entries()) {
    ++by_class[entry->task()];
    const std::string& id = entry->id();
    if (absl::StartsWith(id, "visual_")) {
      ++visual;
    } else if (absl::StartsWith(id, "kitchen")) {
      ++legacy;
    }
  }
  EXPECT_EQ(visual, 25);
  EXPECT_EQ(legacy, 23);
  EXPECT_EQ(Suite().entries().size() - static_cast<size_t>(visual + legacy), 165u);
  EXPECT_EQ(by_class["robohive.Baoding"], 3);
  EXPECT_EQ(by_class["robohive.Door"], 9);
}

TEST(RoboHiveAssets, WhatIsMissingIsNamedWithWhatGetsIt) {
  const char* const before = std::getenv("HIVEWIRE_SIMHIVE");
  const std::string kept = before == nullptr ? "" : before;
  const char* const home = std::getenv("HOME");
  const std::string kept_home = home == nullptr ? "" : home;
  setenv("HIVEWIRE_SIMHIVE", "/nowhere", 1);
  setenv("HOME", "/nowhere", 1);
  const absl::Status status = Suite().Make("FrankaReachFixed-v0", {}).status();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_NOT_SUPPORTED) << status;
  for (const char* part : {"FrankaReachFixed-v0", "HIVEWIRE_SIMHIVE=/nowhere", "~/.robohive",
                           "deploy/fetch_simhive.sh"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
  setenv("HIVEWIRE_SIMHIVE", kept.c_str(), 1);
  setenv("HOME", kept_home.c_str(), 1);
}

TEST_F(RoboHive, EveryIdIsMadeResetAndStepped) {
  // Models are compiled once while somebody holds them.
  std::map<std::string, std::shared_ptr<const Task>> held;
  std::printf("%-32s %6s %6s %5s\n", "id", "obs", "action", "limit");
  for (const v1::EnvEntry* entry : Suite().entries()) {
    const std::shared_ptr<const Task> task = Make(entry->id());
    ASSERT_NE(task, nullptr) << entry->id();
    held.emplace(task->model()->name(), task);
    const v1::EnvSpec& spec = task->spec();
    EXPECT_FALSE(spec.description().empty()) << entry->id();
    TaskRunner runner(task);
    ASSERT_EQ(runner.Reset(1), absl::OkStatus()) << entry->id();
    for (int step = 0; step < 5; ++step) {
      const Outcome outcome =
          runner.Step(std::vector<double>(static_cast<size_t>(spec.action(0).shape(0)), 0.3));
      EXPECT_TRUE(std::isfinite(outcome.reward)) << entry->id();
    }
    EXPECT_THAT(runner.observation(),
                Each(ResultOf([](double x) { return std::isfinite(x); }, true)))
        << entry->id();
    std::printf("%-32s %6d %6d %5d\n", entry->id().c_str(),
                static_cast<int>(spec.observation(0).shape(0)),
                static_cast<int>(spec.action(0).shape(0)), spec.max_episode_steps());
  }
}

TEST_F(RoboHive, LanesWithOtherTargetsShareAnEngine) {
  const auto task = Make("FrankaReachRandom-v0");
  TaskRunner first(task), second(task), alone(task);
  ASSERT_EQ(first.Reset(1), absl::OkStatus());
  ASSERT_EQ(alone.Reset(1), absl::OkStatus());
  ASSERT_EQ(second.Reset(2), absl::OkStatus());
  // The second env on the first's engine, between two of its steps.
  std::vector<double> row(static_cast<size_t>(task->model()->state_size()));
  Simulation& engine = *first.simulation();
  task->EditModel(second.state(), engine.UseEdited(task));
  second.simulation()->Save(absl::MakeSpan(row));
  engine.Load(row);
  engine.Forward();
  const std::vector<double> action(9, 0.5);
  EXPECT_EQ(first.Step(action).reward, alone.Step(action).reward);
  EXPECT_EQ(first.observation(), alone.observation());
  EXPECT_NE(first.observation(), second.observation());
}

TEST_F(RoboHive, TasksThatEditOneModelLeaveNothingToEachOther) {
  const auto random = Make("FrankaPickPlaceRandom-v0"), fixed = Make("FrankaPickPlaceFixed-v0");
  ASSERT_EQ(random->model(), fixed->model());
  TaskRunner runner(random);
  ASSERT_EQ(runner.Reset(1), absl::OkStatus());
  Simulation& engine = *runner.simulation();
  const mjModel& base = *random->model()->get();
  const auto shapes = [&](const mjModel& model) {
    return std::vector<double>(model.geom_size, model.geom_size + 3 * model.ngeom);
  };
  EXPECT_NE(shapes(*engine.model()), shapes(base));
  EXPECT_EQ(shapes(engine.UseEdited(fixed)), shapes(base));
  random->EditModel(runner.state(), engine.UseEdited(random));
  EXPECT_NE(shapes(*engine.model()), shapes(base));
  engine.Use(nullptr);
  const auto heavier = engine.Override({{"gravity", {0, 0, -1}}});
  engine.Use(heavier);
  EXPECT_EQ(shapes(*engine.model()), shapes(base));
}

TEST_F(RoboHive, ShapesThatAResetDrawsCollideAsWhatTheyAre) {
  const auto task = Make("FrankaPickPlaceRandom-v0");
  EXPECT_FALSE(task->model()->has_found_pairs());
  TaskRunner runner(task);
  const mjModel& base = *task->model()->get();
  int changed_contacts = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    ASSERT_EQ(runner.Reset(seed), absl::OkStatus());
    for (int step = 0; step < 5; ++step) runner.Step(std::vector<double>(9, 0));
    const mjModel& own = *runner.simulation()->model();
    mjData& data = *runner.simulation()->data();
    mj_forward(&own, &data);
    for (int k = 0; k < data.ncon; ++k) {
      for (const int geom : data.contact[k].geom) {
        if (own.geom_type[geom] == base.geom_type[geom]) continue;
        ++changed_contacts;
        // By the rule of the types that they have now: the lower one first.
        EXPECT_LE(own.geom_type[data.contact[k].geom[0]], own.geom_type[data.contact[k].geom[1]]);
      }
    }
  }
  EXPECT_GT(changed_contacts, 0);
}

TEST_F(RoboHive, VisualKeysAreLeavesOfTheObservation) {
  const auto kitchen = Make("FK1_Knob1OnRandom_v2d-v4");
  const v1::EnvSpec& spec = kitchen->spec();
  ASSERT_EQ(spec.observation_size(), 5);
  const v1::LeafSpec& top = spec.observation(1);
  EXPECT_EQ(top.name(), "rgb:top_cam:256x256:2d");
  EXPECT_EQ(top.dtype(), v1::DTYPE_UINT8);
  EXPECT_THAT(top.shape(), ElementsAre(256, 256, 3));
  const auto reach =
      Make("FrankaReachRandom-v0",
           {{"visual_keys",
             Strings({"d:top_cam:8x16:2d", "rgb:top_cam:8x16:1d", "rgb:top_cam:8x300:2d"})},
            {"render_preset", String("fast")}});
  EXPECT_THAT(reach->spec().observation(1).shape(), ElementsAre(1, 8, 16));
  EXPECT_THAT(reach->spec().observation(2).shape(), ElementsAre(8 * 16 * 3));
  EXPECT_THAT(reach->spec().observation(1).doc(), HasSubstr("without shadows"));
  EXPECT_EQ(reach->image_leaves()[1].view.height, 8u);
  // Distances keep every detail, as do images that can show it.
  std::vector<bool> fine;
  for (const ImageLeaf& image : reach->image_leaves())
    fine.push_back(image.view.quality.fine_meshes);
  EXPECT_THAT(fine, ElementsAre(true, false, true));
  EXPECT_THAT(reach->spec().observation(2).doc(), HasSubstr("detail of 1/32"));
  // D'Kitty's cameras have colons in their names.
  EXPECT_EQ(Make("DKittyWalkRandom_v2d-v0")->image_leaves()[0].view.camera, "A:headCam");
}

TEST_F(RoboHive, AMaskLeavesImagesOutAsAWhole) {
  const std::string id = "FrankaReachRandom_v2d-v0";
  const auto task = Make(id, {{"observation_mask", Strings({"rgb:left*", "observation"})}});
  ASSERT_EQ(task->spec().observation_size(), 2);
  ASSERT_EQ(task->image_leaves().size(), 2u);
  EXPECT_EQ(task->image_leaves()[1].leaf, 1u);
  EXPECT_EQ(task->image_leaves()[1].view.camera, "top_cam");
  EXPECT_EQ(FieldOf(Refusal(id, {{"observation_mask", Strings({"rgb:left_cam:224x224:2d[3]"})}})),
            "options.observation_mask");
}

TEST_F(RoboHive, ASensorsRangeHoldsForTheStateUnlessTheQuirkIsOff) {
  const std::string id = "FK1_Knob1OnFixed-v4";
  for (const bool clamp : {true, false}) {
    TaskRunner runner(Make(id, {{"quirk.sensor_clamp", Bool(clamp)}}));
    ASSERT_EQ(runner.Reset(3), absl::OkStatus());
    double largest = -1;
    for (int step = 0; step < 10; ++step) {
      runner.Step(std::vector<double>(9, 0.5));
      for (int knob = 0; knob < 4; ++knob)
        largest = std::max(largest, runner.info("obs_dict.objs_jnt")[knob]);
    }
    EXPECT_EQ(largest <= 0, clamp) << largest;
  }
}

TEST_F(RoboHive, LastControlsOutliveAResetUnlessTheQuirkIsOff) {
  for (const bool keep : {true, false}) {
    TaskRunner runner(Make("DKittyWalkFixed-v0", {{"quirk.keep_last_ctrl", Bool(keep)}}));
    ASSERT_EQ(runner.Reset(3), absl::OkStatus());
    runner.Step(std::vector<double>(12, 0.4));
    const std::vector<double> before = runner.info("obs_dict.last_a");
    ASSERT_EQ(runner.ResetOn(), absl::OkStatus());
    EXPECT_EQ(runner.info("obs_dict.last_a"), keep ? before : std::vector<double>(12, 0));
  }
}

TEST_F(RoboHive, SensorNoiseIsDrawnFromTheLanesGenerator) {
  v1::Value scale;
  scale.set_double_value(1);
  TaskRunner noisy(Make("FrankaReachFixed-v0", {{"noise_scale", scale}}));
  TaskRunner again(Make("FrankaReachFixed-v0", {{"noise_scale", scale}}));
  TaskRunner quiet(Make("FrankaReachFixed-v0"));
  for (TaskRunner* runner : {&noisy, &again, &quiet}) ASSERT_EQ(runner->Reset(3), absl::OkStatus());
  EXPECT_NE(noisy.observation(), quiet.observation());
  EXPECT_EQ(noisy.observation(), again.observation());
}

TEST_F(RoboHive, WrongOptionsAreNamed) {
  const auto field = [](const std::string& id, const Options& options) {
    return FieldOf(Refusal(id, options));
  };
  const std::string reach = "FrankaReachFixed-v0";
  EXPECT_EQ(field(reach, {{"obs_keys", Strings({"qp_robt"})}}), "options.obs_keys");
  EXPECT_THAT(std::string(Refusal(reach, {{"obs_keys", Strings({"qp_robt"})}}).message()),
              HasSubstr("nearest: qp_robot"));
  EXPECT_EQ(field(reach, {{"obs_keys", Strings({})}}), "options.obs_keys");
  EXPECT_EQ(field(reach, {{"visual_keys", Strings({"rgb:lft_cam:8x8:2d"})}}),
            "options.visual_keys");
  EXPECT_THAT(
      std::string(Refusal(reach, {{"visual_keys", Strings({"rgb:lft_cam:8x8:2d"})}}).message()),
      HasSubstr("left_cam"));
  EXPECT_EQ(field(reach, {{"render_preset", String("fsat")}}), "options.render_preset");
  EXPECT_EQ(field(reach, {{"target_xyz_low", Doubles({1, 2})}}), "options.target_xyz_low");
  EXPECT_EQ(field(reach, {{"robot", String("franka")}}), "options.robot");
  EXPECT_EQ(field(reach, {{"robot", String("dkitty_walk_v0")}}), "options.robot");
  EXPECT_EQ(field(reach, {{"target_site", String("nowhere")}}), "options.model");
  EXPECT_EQ(field(reach, {{"model", String("/etc/passwd")}}), "options.model");
  EXPECT_EQ(field("door-v1", {{"model", String("arms/franka/assets/franka_reach_v0.xml")}}),
            "options.model");
}

}  // namespace
}  // namespace hivewire
