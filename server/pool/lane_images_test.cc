#include "server/pool/lane_images.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/pool.h"
#include "server/tasks/spec_builder.h"
#include "server/tasks/visual_keys.h"

namespace hivewire {
namespace {

// A red box that slides before a blue wall, and the camera that sees it.
constexpr absl::string_view kBoxes = R"(
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <camera name="front" pos="0 -4 0" xyaxes="1 0 0 0 0 1"/>
    <geom type="box" pos="0 3 0" size="9 .5 9" rgba="0 0 1 1"/>
    <body name="red">
      <joint type="slide" axis="1 0 0"/>
      <geom type="box" size=".5 .5 .5" rgba="1 0 0 1"/>
    </body>
  </worldbody>
</mujoco>)";

constexpr uint32_t kSize = 32;  // pixels
constexpr char kImage[] = "rgb:front:32x32:2d";
constexpr char kDepth[] = "d:front:32x32:2d";

// The action is where the box is; an episode begins with it in the middle and lasts two steps.
class SlidingBox : public Task {
 public:
  SlidingBox() : model_(Model::FromXml(kBoxes, "boxes").value()) {
    spec_.set_id("SlidingBox-v0");
    *spec_.add_action() = MakeLeaf("action", v1::DTYPE_FLOAT32, {1});
    *spec_.add_observation() = MakeLeaf("position", v1::DTYPE_FLOAT64, {1});
    spec_.set_max_episode_steps(2);
    images_ = AddVisualLeaves({kImage, kDepth}, {}, *model_->get(), "visual_keys", spec_).value();
  }

  const v1::EnvSpec& spec() const override { return spec_; }
  std::shared_ptr<const Model> model() const override { return model_; }
  absl::Status Reset(TaskContext& context, const Options&, LeafPointers) const override {
    context.simulation->Forward();
    return absl::OkStatus();
  }
  void Act(TaskContext& context, const Action& action) const override {
    context.simulation->data()->qpos[0] = action.values[0];
  }
  void Advance(TaskContext& context) const override { context.simulation->Forward(); }
  Outcome Evaluate(TaskContext&, const Action&, LeafPointers) const override { return {}; }
  void Observe(TaskContext& context, LeafPointers observation) const override {
    if (observation[0] != nullptr) *observation[0] = context.simulation->data()->qpos[0];
  }
  std::vector<ImageLeaf> image_leaves() const override { return images_; }

 private:
  const std::shared_ptr<const Model> model_;
  v1::EnvSpec spec_;
  std::vector<ImageLeaf> images_;
};

class LaneImagesTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Pool>> MakePool(const v1::CreatePoolRequest& request) {
    auto spec = PoolSpec::Make(std::make_shared<SlidingBox>(), request);
    if (!spec.ok()) return spec.status();
    return Pool::Create(*std::move(spec), workers_);
  }

  // Where this skips, images are not tested.
  void Open(uint32_t lanes, v1::AutoresetMode mode = v1::AUTORESET_MODE_NEXT_STEP) {
    v1::CreatePoolRequest request;
    request.set_num_envs(lanes);
    request.set_autoreset_mode(mode);
    request.set_observation_dtype(v1::DTYPE_FLOAT64);
    auto pool = MakePool(request);
    if (ReasonOf(pool.status()) == v1::ERROR_REASON_NO_RENDERER)
      GTEST_SKIP() << "NOT TESTED, no GL: " << pool.status();
    ASSERT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
    v1::ResetLanes reset;
    for (uint32_t lane = 0; lane < lanes; ++lane) reset.add_env_ids(lane);
    reset.add_op_nos(1);
    ASSERT_EQ(pool_->Reset(reset), absl::OkStatus());
    Receive();
  }

  // The boxes of all lanes go there.
  void Step(const std::vector<float>& positions) {
    v1::StepLanes step;
    for (uint32_t lane = 0; lane < positions.size(); ++lane) step.add_env_ids(lane);
    step.add_op_nos(seq_ + 1);
    step.set_actions(std::string(reinterpret_cast<const char*>(positions.data()),
                                 positions.size() * sizeof(float)));
    ASSERT_EQ(pool_->Step(std::move(step)), absl::OkStatus());
    Receive();
  }

  void Receive() {
    ASSERT_EQ(pool_->Next(absl::Now() + absl::Seconds(60), ++seq_, batch_), absl::OkStatus());
    ASSERT_EQ(batch_.faults_size(), 0) << batch_.faults(0).status().message();
  }

  // 'r' or 'b', in the middle row of the first leaf but `skipped` of a payload.
  static char ColorAt(const std::string& payload, const PayloadLayout& layout, size_t lanes,
                      size_t lane, uint32_t column) {
    const size_t at =
        layout.Offset(1, lanes) + lane * layout.row_bytes(1) + 3 * (kSize * kSize / 2 + column);
    const auto red = static_cast<uint8_t>(payload[at]),
               blue = static_cast<uint8_t>(payload[at + 2]);
    return red > blue ? 'r' : 'b';
  }
  char ColorAt(size_t lane, uint32_t column) const {
    return ColorAt(batch_.payload(), pool_->spec().result_layout(), pool_->spec().num_lanes(), lane,
                   column);
  }

  Workers workers_{2};
  std::unique_ptr<Pool> pool_;
  v1::Batch batch_;
  uint64_t seq_ = 0;
};

TEST_F(LaneImagesTest, EveryLaneSeesItsOwnEnv) {
  Open(3);
  if (IsSkipped()) return;
  EXPECT_EQ(ColorAt(0, 16), 'r');
  Step({-1, 0, 1});
  EXPECT_EQ(ColorAt(0, 6), 'r');
  EXPECT_EQ(ColorAt(0, 16), 'b');
  EXPECT_EQ(ColorAt(1, 16), 'r');
  EXPECT_EQ(ColorAt(2, 16), 'b');
  EXPECT_EQ(ColorAt(2, 25), 'r');
}

TEST_F(LaneImagesTest, DistancesAreInMetresAndKeepTheirDtype) {
  Open(1);
  if (IsSkipped()) return;
  const PayloadLayout& layout = pool_->spec().result_layout();
  ASSERT_EQ(layout.row_bytes(2), kSize * kSize * sizeof(float));
  std::vector<float> depth(kSize * kSize);
  std::memcpy(depth.data(), batch_.payload().data() + layout.Offset(2, 1), layout.row_bytes(2));
  EXPECT_NEAR(depth[kSize * kSize / 2 + kSize / 2], 3.5, 1e-3);  // the box
  EXPECT_NEAR(depth[0], 6.5, 1e-3);                              // the wall
}

TEST_F(LaneImagesTest, AnEpisodeThatEndsShowsItsLastImageAndTheNextOnesFirst) {
  Open(1, v1::AUTORESET_MODE_SAME_STEP);
  if (IsSkipped()) return;
  Step({1});
  Step({-1});
  EXPECT_EQ(ColorAt(0, 16), 'r');
  ASSERT_EQ(batch_.finals().rows_size(), 1);
  EXPECT_EQ(ColorAt(batch_.finals().payload(), pool_->spec().final_layout(), 1, 0, 16), 'b');
  EXPECT_EQ(ColorAt(batch_.finals().payload(), pool_->spec().final_layout(), 1, 0, 6), 'r');
}

TEST_F(LaneImagesTest, APoolOfOtherLeavesNeedsNoRenderer) {
  Workers blind(1, /*render=*/false);
  v1::CreatePoolRequest request;
  request.set_num_envs(1);
  auto spec = PoolSpec::Make(std::make_shared<SlidingBox>(), request);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const absl::Status status = Pool::Create(*std::move(spec), blind).status();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_NO_RENDERER);
  EXPECT_NE(status.message().find(kImage), absl::string_view::npos) << status;
  request.add_observation_leaves("position");
  spec = PoolSpec::Make(std::make_shared<SlidingBox>(), request);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->row_bytes() < 100, true) << spec->row_bytes();
  EXPECT_EQ(Pool::Create(*std::move(spec), blind).status(), absl::OkStatus());
}

TEST_F(LaneImagesTest, ABadKeyIsRefusedByName) {
  const auto model = Model::FromXml(kBoxes, "boxes").value();
  const auto refusal = [&](const std::string& key) {
    v1::EnvSpec spec;
    return AddVisualLeaves({key}, {}, *model->get(), "visual_keys", spec).status();
  };
  EXPECT_EQ(refusal("rgb:front:8x8:2d"), absl::OkStatus());
  for (const char* key :
       {"rgb:front:8x8", "rgb:front:8:2d", "front:8x8:2d", "rgb:front:8x8:r4m", "rgb:frnt:8x8:2d",
        "rgb:front:0x8:2d", "rgb:front:8x99999:2d", "rgb:2d"}) {
    EXPECT_EQ(FieldOf(refusal(key)), "visual_keys") << key;
  }
  EXPECT_NE(refusal("rgb:frnt:8x8:2d").message().find("front"), absl::string_view::npos);
}

}  // namespace
}  // namespace hivewire
