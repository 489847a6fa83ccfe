// What holds for every id of the suite and any model that it is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/sim/render_thread.h"
#include "server/tasks/gymnasium/gymnasium.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/task_runner.h"
#include "server/tasks/testing/values.h"

namespace hivewire {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

const Registry& Ids() {
  static const Registry& registry = *[] {
    auto* registry = new Registry;
    EXPECT_EQ(RegisterGymnasium(*registry), absl::OkStatus());
    return registry;
  }();
  return registry;
}

std::shared_ptr<const Task> Make(const std::string& id, const Options& options = {}) {
  auto task = Ids().Make(id, options);
  EXPECT_TRUE(task.ok()) << task.status();
  return *task;
}

TEST(GymnasiumSpec, EveryIdRunsAndItsSpecNamesEveryElement) {
  for (const v1::EnvEntry* entry : Ids().entries()) {
    SCOPED_TRACE(entry->id());
    TaskRunner runner(Make(entry->id()));
    const v1::EnvSpec& spec = runner.task().spec();
    EXPECT_EQ(spec.engine(), "mujoco-3.17.0");
    EXPECT_TRUE(spec.renders());
    for (const v1::LeafSpec* leaf : {&spec.observation(0), &spec.action(0)})
      EXPECT_EQ(leaf->element_names_size(), leaf->shape(0));
    ASSERT_EQ(runner.Reset(1), absl::OkStatus());
    const Outcome outcome = runner.Step(std::vector<double>(spec.action(0).shape(0), 0.1));
    EXPECT_TRUE(std::isfinite(outcome.reward));
    EXPECT_THAT(runner.observation(),
                Each(testing::Truly([](double x) { return !std::isnan(x); })));
    for (const v1::LeafSpec& leaf : spec.info())
      EXPECT_THAT(runner.info(leaf.name()),
                  Each(testing::Truly([](double x) { return std::isfinite(x); })));
  }
}

TEST(GymnasiumSpec, ASpecTellsTimesAndNames) {
  const v1::EnvSpec spec = Make("Ant-v5", {{"frame_skip", Int(4)}})->spec();
  EXPECT_EQ(spec.physics_dt(), 0.01);
  EXPECT_EQ(spec.control_dt(), 0.04);
  EXPECT_EQ(spec.render_fps(), 25);
  EXPECT_EQ(spec.max_episode_steps(), 1000);
  EXPECT_EQ(spec.reward_threshold(), 6000);
  EXPECT_THAT(spec.cameras(), ElementsAre("track"));
  EXPECT_EQ(spec.default_camera().distance(), 4);
  EXPECT_EQ(spec.observation(0).shape(0), 105);
  EXPECT_EQ(spec.observation(0).element_names(0), "root.z");
  EXPECT_EQ(spec.observation(0).element_units(0), "m");
  EXPECT_EQ(spec.observation(0).element_names(104), "body13.cfrc_ext.force_z");
  EXPECT_EQ(spec.observation(0).element_units(104), "N");
  EXPECT_EQ(spec.action(0).element_names(0), "hip_4");
}

TEST(GymnasiumSpec, TheDefaultViewCanBeConfigured) {
  v1::Value distance, lookat;
  distance.set_double_value(2.5);
  for (const double coordinate : {0.1, 0.2, 0.3})
    lookat.mutable_double_list()->add_values(coordinate);
  const v1::DefaultCamera plain = Make("Hopper-v5")->spec().default_camera();
  EXPECT_EQ(plain.distance(), 3);
  EXPECT_FALSE(plain.has_track_body());
  const v1::DefaultCamera camera =
      Make("Hopper-v5", {{"default_camera_config.distance", distance},
                         {"default_camera_config.lookat", lookat},
                         {"default_camera_config.trackbodyid", Int(2)}})
          ->spec()
          .default_camera();
  EXPECT_EQ(camera.distance(), 2.5);
  EXPECT_THAT(camera.lookat(), ElementsAre(0.1, 0.2, 0.3));
  EXPECT_EQ(camera.track_body(), 2);
  EXPECT_EQ(camera.elevation(), plain.elevation());

  const auto field = [](const std::string& key, const v1::Value& value) {
    return FieldOf(Ids().Make("Hopper-v5", {{"default_camera_config." + key, value}}).status());
  };
  EXPECT_EQ(field("trackbodyid", Int(5)), "options.default_camera_config.trackbodyid");
  EXPECT_EQ(field("distance", Int(-1)), "options.default_camera_config.distance");
  lookat.mutable_double_list()->add_values(1);
  EXPECT_EQ(field("lookat", lookat), "options.default_camera_config.lookat");
}

TEST(GymnasiumSpec, EveryPairOfAModelAndAnEnvRunsOrIsRefused) {
  const std::vector<std::string> files = {
      "ant.xml",       "half_cheetah.xml",      "hopper.xml",
      "humanoid.xml",  "humanoidstandup.xml",   "inverted_double_pendulum.xml",
      "point.xml",     "inverted_pendulum.xml", "pusher.xml",
      "pusher_v5.xml", "reacher.xml",           "swimmer.xml",
      "walker2d.xml",  "walker2d_v5.xml"};
  for (const v1::EnvEntry* entry : Ids().entries()) {
    for (const std::string& file : files) {
      SCOPED_TRACE(entry->id() + " " + file);
      const auto task = Ids().Make(entry->id(), {{"xml_file", String(file)}});
      if (!task.ok()) {
        EXPECT_EQ(ReasonOf(task.status()), v1::ERROR_REASON_BAD_OPTION) << task.status();
        continue;
      }
      TaskRunner runner(*task);
      ASSERT_EQ(runner.Reset(1), absl::OkStatus());
      runner.Step(std::vector<double>((*task)->spec().action(0).shape(0), 0.0));
      EXPECT_LT((*task)->spec().default_camera().track_body(), (*task)->model()->get()->nbody);
    }
  }
}

TEST(GymnasiumSpec, AnImageOfTheAntShowsMoreThanOneColourAndIsTheSameTwice) {
  const auto thread = RenderThread::Start();
  if (!thread.ok()) GTEST_SKIP() << "NOT TESTED, no GL: " << thread.status();
  TaskRunner runner(Make("Ant-v5"));
  ASSERT_EQ(runner.Reset(1), absl::OkStatus());
  ImageRequest request;
  request.model = runner.task().model();
  request.state.resize(static_cast<size_t>(request.model->state_size()));
  runner.simulation()->Save(absl::MakeSpan(request.state));
  request.default_camera = runner.task().spec().default_camera();
  request.width = 96;
  request.height = 64;
  for (const char* camera : {"", "track"}) {
    request.camera = camera;
    const absl::StatusOr<Image> image = (*thread)->Render(request);
    ASSERT_TRUE(image.ok()) << image.status();
    ASSERT_EQ(image->pixels.size(), 3u * 96 * 64);
    const auto [darkest, brightest] =
        std::minmax_element(image->pixels.begin(), image->pixels.end());
    EXPECT_GT(*brightest - *darkest, 50);
    EXPECT_EQ((*thread)->Render(request)->pixels, image->pixels);
  }
}

}  // namespace
}  // namespace hivewire
