#include "server/sim/shadow_maps.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/sim/gl_context.h"
#include "server/sim/render_scene.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

// A ball that slides over the ground under two lamps, one of which turns with a joint, seen from
// two sides.
constexpr absl::string_view kBall = R"(
<mujoco>
  <visual><quality shadowsize="512"/></visual>
  <worldbody>
    <light name="sun" directional="true" pos="0 0 4" dir="0.3 0 -1"/>
    <camera name="left" pos="-3 -3 3" xyaxes="1 -1 0 1 1 2"/>
    <camera name="right" pos="3 -3 3" xyaxes="1 1 0 -1 1 2"/>
    <geom type="plane" size="4 4 .1" rgba=".6 .6 .6 1"/>
    <body pos="0 0 1">
      <joint type="slide" axis="1 0 0"/>
      <geom type="sphere" size=".5" rgba=".8 .2 .2 1"/>
    </body>
    <body>
      <joint type="hinge" axis="0 1 0"/>
      <geom type="sphere" size=".1" pos="0 1.5 .1"/>
      <light name="lamp" pos="0 1 4" dir="0 0 -1" cutoff="60"/>
    </body>
  </worldbody>
</mujoco>)";

constexpr int kSize = 96;  // pixels
using Pixels = std::vector<uint8_t>;

// An mjrContext of the test's model; mjr_render's, where `shared` is null.
struct Drawer {
  explicit Drawer(const mjModel& model) {
    mjr_defaultContext(&context);
    mjr_makeContext(&model, &context, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &context);
  }
  ~Drawer() {
    shared.reset();
    mjr_freeContext(&context);
  }

  Pixels Draw(mjvScene& scene) {
    const mjrRect viewport = {0, 0, kSize, kSize};
    mjr_setBuffer(mjFB_OFFSCREEN, &context);
    if (shared != nullptr) {
      shared->Render(viewport, scene);
    } else {
      mjr_render(viewport, &scene, &context);
    }
    Pixels pixels(size_t{3} * kSize * kSize);
    mjr_readPixels(pixels.data(), nullptr, viewport, &context);
    return pixels;
  }

  mjrContext context;
  std::unique_ptr<ShadowMaps> shared;
};

class ShadowMapsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto context = GlContext::Create();
    if (!context.ok()) GTEST_SKIP() << "NOT TESTED, no GL: " << context.status();
    gl_ = *std::move(context);
    model_ = Model::FromXml(kBall, "ball").value();
    simulation_ = Simulation::Create(model_).value();
    simulation_->Reset();
    scene_ = RenderScene::Create(model_).value();
    reference_ = std::make_unique<Drawer>(*model_->get());
    drawer_ = std::make_unique<Drawer>(*model_->get());
    drawer_->shared = std::make_unique<ShadowMaps>(drawer_->context);
  }

  void Place(double ball, double lamp) {
    simulation_->data()->qpos[0] = ball;
    simulation_->data()->qpos[1] = lamp;
    simulation_->Forward();
  }

  // The image, which must be mjr_render's.
  Pixels Draw(const std::string& camera) {
    scene_->Look(*simulation_->model(), *simulation_->data(), camera);
    const Pixels reference = reference_->Draw(scene_->scene());
    scene_->Look(*simulation_->model(), *simulation_->data(), camera);
    Pixels pixels = drawer_->Draw(scene_->scene());
    EXPECT_TRUE(pixels == reference) << camera;
    return pixels;
  }
  bool shared() const { return drawer_->shared->shared(); }

  std::unique_ptr<GlContext> gl_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Simulation> simulation_;
  std::unique_ptr<RenderScene> scene_;
  std::unique_ptr<Drawer> reference_, drawer_;
};

TEST_F(ShadowMapsTest, CamerasOfOneMomentShareMapsAndDrawWhatMujocoDraws) {
  Place(0, 0);
  Draw("left");
  Draw("right");
  EXPECT_FALSE(shared());  // only now is it known that there is something to share
  Draw("left");
  EXPECT_TRUE(shared());
  for (const double ball : {0.5, -0.5}) {
    Place(ball, 0);
    Draw("left");
    EXPECT_FALSE(shared());
    Draw("right");
    EXPECT_TRUE(shared());
  }
}

TEST_F(ShadowMapsTest, ALampThatMovedCastsOtherShadows) {
  Place(0, 0);
  for (int k = 0; k < 3; ++k) Draw("left");
  const Pixels before = Draw("left");
  Place(0, 0.2);
  const Pixels after = Draw("left");
  EXPECT_FALSE(shared());
  EXPECT_NE(before, after);
}

TEST_F(ShadowMapsTest, ImagesWithoutShadowsBetweenThemLeaveTheMapsAlone) {
  Place(0, 0);
  for (int k = 0; k < 3; ++k) Draw("left");
  scene_->scene().flags[mjRND_SHADOW] = 0;
  const Pixels without = Draw("left");
  scene_->scene().flags[mjRND_SHADOW] = 1;
  scene_->scene().flags[mjRND_SEGMENT] = 1;
  Draw("right");
  scene_->scene().flags[mjRND_SEGMENT] = 0;
  EXPECT_NE(Draw("left"), without);
  EXPECT_TRUE(shared());
}

}  // namespace
}  // namespace hivewire
