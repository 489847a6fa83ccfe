#include "policy/transforms/observations.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "base/layout.h"
#include "base/textproto.h"

namespace hivewire {
namespace {

constexpr int kLanes = 3;

v1::LearnerConfig Config(const std::string& text) {
  v1::LearnerConfig config;
  const auto parsed = TextprotoFile::Parse("config", text, config);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  config.set_device("cpu");
  return config;
}

v1::LayoutLeaf Leaf(const std::string& name, v1::DType dtype, std::vector<int64_t> shape) {
  v1::LeafSpec spec;
  spec.set_name(name);
  spec.set_dtype(dtype);
  for (const int64_t size : shape) spec.add_shape(size);
  return MakeLayoutLeaf(spec, v1::LEAF_ROLE_OBSERVATION);
}

// An image leaf and two numbers, as an env with a camera has them.
class ObservationsTest : public testing::Test {
 protected:
  ObservationsTest()
      : leaves_(
            {Leaf("camera", v1::DTYPE_UINT8, {6, 8, 3}), Leaf("state", v1::DTYPE_FLOAT64, {2})}) {}

  std::unique_ptr<Observations> Make(const std::string& text) {
    auto made = Observations::Make(Config(text), leaves_, kLanes);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }

  std::string Refusal(const std::string& text) {
    return std::string(Observations::Make(Config(text), leaves_, kLanes).status().message());
  }

  // What lanes show in step t: number 100 t + lane, and images of pixel t + lane.
  static std::vector<LeafBuffer> Step(const std::vector<uint32_t>& lanes, int t) {
    std::vector<LeafBuffer> step;
    step.emplace_back("camera", v1::DTYPE_UINT8, std::vector<int64_t>{6, 8, 3});
    step.emplace_back("state", v1::DTYPE_FLOAT64, std::vector<int64_t>{2});
    for (LeafBuffer& leaf : step) leaf.Resize(lanes.size());
    for (size_t row = 0; row < lanes.size(); ++row) {
      std::memset(step[0].row(row), t + static_cast<int>(lanes[row]), step[0].row_bytes());
      double* numbers = step[1].as<double>() + 2 * row;
      numbers[0] = 100 * t + lanes[row];
      numbers[1] = -numbers[0];
    }
    return step;
  }

  static std::vector<float> Show(Observations& observations, const std::vector<uint32_t>& lanes,
                                 int t, bool first) {
    std::vector<float> out(lanes.size() * static_cast<size_t>(observations.dim()));
    const std::vector<uint8_t> flags(lanes.size(), first);
    const absl::Status status =
        observations.Show(lanes, flags, Step(lanes, t), absl::MakeSpan(out));
    EXPECT_TRUE(status.ok()) << status;
    return out;
  }

  const std::vector<v1::LayoutLeaf> leaves_;
};

TEST_F(ObservationsTest, WithoutTransformsAllLeavesAreJoinedAsTheyAre) {
  const auto plain = Make("");
  EXPECT_EQ(plain->dim(), 6 * 8 * 3 + 2);
  const std::vector<float> row = Show(*plain, {2}, 1, true);
  EXPECT_EQ(row[0], 3);
  EXPECT_EQ(row[144], 102);
}

TEST_F(ObservationsTest, AnImageBecomesASmallGreyCropOfUnitScale) {
  const auto made = Make(
      R"(transforms { type: "to_tensor_image" } transforms { type: "grey" }
         transforms { type: "center_crop" height: 6 width: 6 }
         transforms { type: "resize" height: 3 width: 3 }
         transforms { type: "concatenate" leaves: "camera" })");
  ASSERT_EQ(made->dim(), 9);
  for (const float pixel : Show(*made, {2}, 1, true)) EXPECT_NEAR(pixel, 3 / 255.0, 1e-6);
}

TEST_F(ObservationsTest, ChannelsComeFirstAndCropsKeepTheMiddle) {
  const auto made = Make(
      R"(transforms { type: "to_tensor_image" } transforms { type: "center_crop" height: 2 width: 2 }
         transforms { type: "concatenate" leaves: "camera" })");
  std::vector<LeafBuffer> step = Step({0}, 0);
  auto* pixels = step[0].as<uint8_t>();
  std::iota(pixels, pixels + 144, 0);
  std::vector<float> out(12);
  ASSERT_TRUE(made->Show({0}, {1}, step, absl::MakeSpan(out)).ok());
  for (int channel = 0; channel < 3; ++channel) {
    for (int y = 0; y < 2; ++y) {
      for (int x = 0; x < 2; ++x) {
        EXPECT_FLOAT_EQ(out[static_cast<size_t>(channel * 4 + y * 2 + x)] * 255,
                        static_cast<float>(((y + 2) * 8 + x + 3) * 3 + channel));
      }
    }
  }
}

TEST_F(ObservationsTest, AStackHoldsWhatItsLaneShowedSinceTheEpisodeBegan) {
  const auto made = Make(R"(transforms { type: "frame_stack" frames: 3 leaves: "state" }
                            transforms { type: "concatenate" leaves: "state" })");
  ASSERT_EQ(made->dim(), 6);
  using Floats = std::vector<float>;
  EXPECT_EQ(Show(*made, {1}, 1, true), (Floats{101, -101, 101, -101, 101, -101}));
  EXPECT_EQ(Show(*made, {0}, 5, true)[0], 500);  // another lane between
  EXPECT_EQ(Show(*made, {1}, 2, false), (Floats{101, -101, 101, -101, 201, -201}));
  EXPECT_EQ(Show(*made, {1}, 3, false), (Floats{101, -101, 201, -201, 301, -301}));
  EXPECT_EQ(Show(*made, {1}, 4, true), (Floats{401, -401, 401, -401, 401, -401}));
}

TEST_F(ObservationsTest, LanesTogetherShowWhatEachShowsAlone) {
  const std::string text =
      R"(transforms { type: "to_tensor_image" } transforms { type: "resize" height: 4 width: 5 }
         transforms { type: "frame_stack" frames: 2 })";
  const auto together = Make(text), alone = Make(text);
  for (int t = 0; t < 3; ++t) {
    const std::vector<float> all = Show(*together, {0, 1, 2}, t, t == 0);
    std::vector<float> each;
    for (const uint32_t lane : {0, 1, 2}) {
      const std::vector<float> row = Show(*alone, {lane}, t, t == 0);
      each.insert(each.end(), row.begin(), row.end());
    }
    EXPECT_EQ(all, each);
  }
}

TEST_F(ObservationsTest, WhatTheyRememberSurvivesACheckpoint) {
  const std::string text = R"(transforms { type: "frame_stack" frames: 3 leaves: "state" })";
  const auto before = Make(text), after = Make(text);
  Show(*before, {0, 1, 2}, 1, true);
  Show(*before, {0, 1, 2}, 2, false);
  TensorMap tensors;
  ASSERT_TRUE(before->Save(tensors).ok());
  ASSERT_TRUE(after->Load(tensors).ok());
  EXPECT_EQ(Show(*after, {0, 2}, 3, false), Show(*before, {0, 2}, 3, false));
}

TEST_F(ObservationsTest, AWrongChainIsRefusedByNameAndPlace) {
  EXPECT_TRUE(absl::StrContains(Refusal(R"(transforms { type: "resise" })"), "resize"));
  EXPECT_TRUE(absl::StrContains(Refusal(R"(transforms { type: "grey" })"),
                                "transforms[0]: no leaf is float32 images"));
  EXPECT_TRUE(absl::StrContains(
      Refusal(R"(transforms { type: "to_tensor_image" leaves: "state" })"), "\"state\" is"));
  EXPECT_TRUE(absl::StrContains(
      Refusal(R"(transforms { type: "frame_stack" leaves: "stat" frames: 2 })"), "state"));
  EXPECT_TRUE(absl::StrContains(Refusal(R"(transforms { type: "to_tensor_image" }
                 transforms { type: "center_crop" height: 7 width: 2 })"),
                                "transforms[1]: height is 7; center_crop takes 1 … 6"));
  EXPECT_TRUE(absl::StrContains(Refusal(R"(transforms { type: "frame_stack" frames: 1 })"),
                                "frames is 1; frame_stack takes 2 … 64"));
}

}  // namespace
}  // namespace hivewire
