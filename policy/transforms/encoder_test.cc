#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "policy/checkpoint/safetensors.h"
#include "policy/nn/testing/random_resnet.h"
#include "policy/transforms/transform.h"

namespace hivewire {
namespace {

class EncoderTest : public testing::Test {
 protected:
  EncoderTest() : path_(absl::StrCat(testing::TempDir(), "/encoder.safetensors")) {
    EXPECT_EQ(WriteSafetensors(path_, {RandomResNet(18), {}}), absl::OkStatus());
    config_.set_type("encoder");
    (*config_.mutable_options())["weights"].set_string_value(path_);
  }

  const std::string path_;
  v1::TransformConfig config_;
  std::vector<LeafShape> leaves_ = {{"camera", at::kFloat, {3, 64, 64}},
                                    {"state", at::kFloat, {2}}};
};

TEST_F(EncoderTest, ImagesBecomeFeaturesAndOtherLeavesStay) {
  const auto encoder = MakeTransform(config_, 2, leaves_);
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ(leaves_[0].shape, std::vector<int64_t>{512});
  EXPECT_EQ(leaves_[1].shape, std::vector<int64_t>{2});
  const at::Tensor images = at::rand({3, 3, 64, 64});
  const auto encode = [&](const at::Tensor& batch) {
    std::vector<at::Tensor> leaves = {batch, at::ones({batch.size(0), 2})};
    (*encoder)->Apply({}, leaves);
    EXPECT_TRUE(at::equal(leaves[1], at::ones({batch.size(0), 2})));
    return leaves[0];
  };
  const at::Tensor features = encode(images);
  ASSERT_EQ(features.sizes(), (std::vector<int64_t>{3, 512}));
  // A row's features are its own image's.
  EXPECT_TRUE(at::allclose(encode(images.narrow(0, 1, 1))[0], features[1], 1e-4, 1e-5));
  EXPECT_FALSE(at::allclose(features[0], features[1], 1e-3, 1e-3));
}

TEST_F(EncoderTest, BadWeightsAreNamed) {
  const auto refusal = [this] {
    return std::string(MakeTransform(config_, 1, leaves_).status().message());
  };
  (*config_.mutable_options())["weights"].set_string_value("/nowhere");
  EXPECT_NE(refusal().find("options.weights: /nowhere"), std::string::npos) << refusal();
  config_.mutable_options()->clear();
  EXPECT_NE(refusal().find("convert_encoder.py"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace hivewire
