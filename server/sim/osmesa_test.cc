#include <gtest/gtest.h>

#include <algorithm>

#include "server/sim/render_thread.h"

namespace hivewire {
namespace {

TEST(Osmesa, DrawsWhereThereIsNoEgl) {
  auto thread = RenderThread::Start(GlContext::Backend::kOsmesa);
  if (!thread.ok()) GTEST_SKIP() << "NOT TESTED, no OSMesa: " << thread.status();
  EXPECT_EQ((*thread)->backend(), "osmesa");
  ImageRequest request;
  request.model = Model::FromXml(R"(
      <mujoco>
        <worldbody>
          <camera name="above" pos="0 0 3"/>
          <geom type="sphere" size="1" rgba="0 1 0 1"/>
        </worldbody>
      </mujoco>)",
                                 "sphere")
                      .value();
  auto simulation = Simulation::Create(request.model).value();
  request.state.resize(static_cast<size_t>(request.model->state_size()));
  simulation->Save(absl::MakeSpan(request.state));
  request.camera = "above";
  request.width = 800;
  request.height = 600;
  const absl::StatusOr<Image> image = (*thread)->Render(request);
  ASSERT_TRUE(image.ok()) << image.status();
  const uint8_t* center = image->pixels.data() + 3 * (300 * 800 + 400);
  EXPECT_GT(center[1], 100);
  EXPECT_LT(std::max(center[0], center[2]), center[1] / 2);
}

}  // namespace
}  // namespace hivewire
