#include "server/sim/render_thread.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/error.h"

namespace hivewire {
namespace {

// A red box above a blue one, in front of the camera "front"; the red one can slide to the side.
constexpr absl::string_view kBoxes = R"(
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <camera name="front" pos="0 -4 0" xyaxes="1 0 0 0 0 1"/>
    <geom type="box" pos="0 0 -1" size=".5 .5 .5" rgba="0 0 1 1"/>
    <body name="red" pos="0 0 1">
      <joint type="slide" axis="1 0 0"/>
      <geom type="box" size=".5 .5 .5" rgba="1 0 0 1"/>
    </body>
  </worldbody>
</mujoco>)";

class RenderThreadTest : public testing::Test {
 protected:
  void SetUp() override {
    auto thread = RenderThread::Start();
    if (!thread.ok()) GTEST_SKIP() << "NOT TESTED, no GL: " << thread.status();
    thread_ = *std::move(thread);
    request_.model = Model::FromXml(kBoxes, "boxes").value();
    request_.camera = "front";
    request_.width = 64;
    request_.height = 64;
    PlaceRed(0);
  }

  void PlaceRed(double x) {
    TakeState([x](mjData& data) { data.qpos[0] = x; });
  }

  // The first state of the request's model, after `change`.
  void TakeState(absl::FunctionRef<void(mjData&)> change = [](mjData&) {}) {
    auto simulation = Simulation::Create(request_.model).value();
    simulation->Reset();
    change(*simulation->data());
    request_.state.resize(static_cast<size_t>(request_.model->state_size()));
    simulation->Save(absl::MakeSpan(request_.state));
  }

  Image Draw() {
    const absl::StatusOr<Image> image = thread_->Render(request_);
    EXPECT_TRUE(image.ok()) << image.status();
    return image.ok() ? *image : Image{};
  }

  // 'r', 'g' or 'b' for a pixel where that colour dominates, '.' for none.
  static char ColorAt(const Image& image, uint32_t row, uint32_t column) {
    const uint8_t* pixel = image.pixels.data() + 3 * (row * image.width + column);
    for (int k = 0; k < 3; ++k) {
      if (pixel[k] > 100 && pixel[(k + 1) % 3] < 50 && pixel[(k + 2) % 3] < 50) return "rgb"[k];
    }
    return '.';
  }

  std::unique_ptr<RenderThread> thread_;
  ImageRequest request_;
};

TEST_F(RenderThreadTest, TheTopRowComesFirst) {
  const Image image = Draw();
  ASSERT_EQ(image.pixels.size(), 3u * 64 * 64);
  EXPECT_EQ(ColorAt(image, 14, 32), 'r');
  EXPECT_EQ(ColorAt(image, 50, 32), 'b');
  EXPECT_EQ(ColorAt(image, 32, 32), '.');
}

TEST_F(RenderThreadTest, TheImageShowsTheStateThatWasGiven) {
  PlaceRed(1);
  const Image image = Draw();
  EXPECT_EQ(ColorAt(image, 14, 32), '.');
  EXPECT_EQ(ColorAt(image, 14, 52), 'r');
}

TEST_F(RenderThreadTest, AnImageMayBeWiderThanHighAndLargerThanTheModelsBuffer) {
  request_.width = 1000;
  request_.height = 700;
  const Image image = Draw();
  ASSERT_EQ(image.width, 1000u);
  ASSERT_EQ(image.pixels.size(), 3u * 1000 * 700);
  EXPECT_EQ(ColorAt(image, 150, 500), 'r');
  EXPECT_EQ(ColorAt(image, 550, 500), 'b');
}

TEST_F(RenderThreadTest, TheDefaultCameraLooksWhereItIsTold) {
  request_.camera.clear();
  request_.default_camera.set_distance(4);
  request_.default_camera.set_elevation(0);
  for (const double x : {0.0, 0.0, -1.0}) request_.default_camera.add_lookat(x);
  EXPECT_EQ(ColorAt(Draw(), 32, 32), 'b');
}

TEST_F(RenderThreadTest, ATrackingCameraFollowsItsBody) {
  request_.camera.clear();
  request_.default_camera.set_distance(4);
  request_.default_camera.set_elevation(0);
  request_.default_camera.set_track_body(1);
  EXPECT_EQ(ColorAt(Draw(), 32, 32), 'r');
  PlaceRed(1.5);
  EXPECT_EQ(ColorAt(Draw(), 32, 32), 'r');
}

TEST_F(RenderThreadTest, ShadowsAndReflectionsCanBeLeftOut) {
  request_.quality = {.shadows = false, .reflections = false};
  EXPECT_EQ(ColorAt(Draw(), 14, 32), 'r');
}

TEST_F(RenderThreadTest, AFastImageShowsTheSameBoxesAsAnExactOne) {
  request_.quality = kFastQuality;
  const Image fast = Draw();
  EXPECT_EQ(ColorAt(fast, 14, 32), 'r');
  EXPECT_EQ(ColorAt(fast, 50, 32), 'b');
  request_.quality = {};
  EXPECT_EQ(ColorAt(Draw(), 14, 32), 'r');
}

TEST_F(RenderThreadTest, ACoarseMeshCoversThePixelsOfTheFineOne) {
  // A ball of 5,120 faces, which are drawn in grey shades by a headlight.
  request_.model = Model::FromXml(R"(
      <mujoco>
        <asset><mesh name="ball" builtin="sphere" params="4"/></asset>
        <worldbody>
          <camera name="front" pos="0 -4 0" xyaxes="1 0 0 0 0 1"/>
          <geom type="mesh" mesh="ball"/>
        </worldbody>
      </mujoco>)",
                                  "ball")
                       .value();
  TakeState();

  const Image fine = Draw();
  request_.quality.fine_meshes = false;
  const Image coarse = Draw();
  const auto covered = [](const Image& image, size_t pixel) { return image.pixels[3 * pixel] > 0; };
  size_t pixels = 0, others = 0;
  for (size_t pixel = 0; pixel < size_t{64} * 64; ++pixel) {
    pixels += covered(fine, pixel) ? 1 : 0;
    others += covered(fine, pixel) != covered(coarse, pixel) ? 1 : 0;
  }
  EXPECT_GT(pixels, 500u);
  EXPECT_LT(others, pixels / 10);
  EXPECT_NE(coarse.pixels, fine.pixels);  // fewer faces, other shades
}

TEST_F(RenderThreadTest, ManyCallersAndModelsGetTheSameImagesAsOneCaller) {
  constexpr int kModels = 10;  // more than are kept
  std::vector<ImageRequest> requests;
  std::vector<std::vector<uint8_t>> expected;
  for (int k = 0; k < kModels; ++k) {
    request_.model = Model::FromXml(kBoxes, "boxes").value();
    request_.width = 32 + 8 * static_cast<uint32_t>(k);
    PlaceRed(0.1 * k);
    requests.push_back(request_);
    expected.push_back(Draw().pixels);
  }
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int k = 0; k < kModels; ++k) {
        const size_t which = static_cast<size_t>((k * (caller + 1)) % kModels);
        const absl::StatusOr<Image> image = thread_->Render(requests[which]);
        ASSERT_TRUE(image.ok()) << image.status();
        EXPECT_TRUE(image->pixels == expected[which]) << "model " << which;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(RenderThreadTest, ABadRequestNamesItsField) {
  request_.camera = "frnt";
  absl::Status status = thread_->Render(request_).status();
  EXPECT_EQ(FieldOf(status), "camera");
  EXPECT_NE(status.message().find("front"), absl::string_view::npos) << status;
  request_.camera = "front";
  request_.height = 0;
  EXPECT_EQ(FieldOf(thread_->Render(request_).status()), "height");
  request_.height = 100000;
  EXPECT_EQ(FieldOf(thread_->Render(request_).status()), "height");
  request_.height = 64;
  request_.default_camera.set_track_body(7);
  EXPECT_EQ(FieldOf(thread_->Render(request_).status()), "default_camera.track_body");
  request_.default_camera.clear_track_body();
  request_.state.pop_back();
  EXPECT_EQ(FieldOf(thread_->Render(request_).status()), "state");
}

TEST_F(RenderThreadTest, ASecondThreadOfTheSameProcessDrawsTheSame) {
  const Image image = Draw();
  auto second = RenderThread::Start();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->backend(), thread_->backend());
  EXPECT_EQ((*second)->Render(request_)->pixels, image.pixels);
  second->reset();
  EXPECT_EQ(Draw().pixels, image.pixels);
}

}  // namespace
}  // namespace hivewire
