#include "policy/nn/vision.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/textproto.h"

namespace hivewire {
namespace {

constexpr int64_t kRows = 3;

// Two numbers, an image of two channels, 10 by 9, and another number.
ModelShape Shape(bool bytes = false) {
  return {.observation_dim = 183,
          .policy_outputs = 2,
          .leaves = {{"state", 2, {2}}, {"camera", 180, {2, 10, 9}, bytes}, {"time", 1, {1}}}};
}

v1::ConvolutionConfig Config(const std::string& text) {
  v1::ConvolutionConfig config;
  const auto parsed = TextprotoFile::Parse("config", text, config);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return config;
}

constexpr char kLayers[] =
    "layers { channels: 4 kernel: 4 stride: 2 } layers { channels: 3 kernel: 2 } features: 5";

Vision Make(const std::string& text, const ModelShape& shape,
            const std::vector<int64_t>& columns = {}) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const auto options = VisionOptions::Make(Config(text), shape);
  EXPECT_TRUE(options.ok()) << options.status();
  const Mlp::Options dense = {.widths = {}, .activation = ActivationKind::kTanh};
  return Vision(*options, columns, dense, generator);
}

std::vector<NamedTensor> ParametersOf(const Vision& vision) {
  std::vector<NamedTensor> parameters;
  vision.AppendParameters("vision", parameters);
  for (NamedTensor& parameter : parameters) {
    parameter.tensor.mutable_grad() = at::zeros_like(parameter.tensor);
  }
  return parameters;
}

at::Tensor Observations(int64_t rows = kRows) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  return at::empty({rows, 183}, at::kFloat).uniform_(0, 1, generator);
}

TEST(Vision, ShowsTheFeaturesOfImagesAndThenAllOtherNumbers) {
  const Vision vision = Make(kLayers, Shape());
  EXPECT_EQ(vision.outputs(), 5 + 2 + 1);
  const at::Tensor observations = Observations();
  const at::Tensor seen = vision.Forward(observations);
  EXPECT_TRUE(at::equal(seen.narrow(1, 5, 2), observations.narrow(1, 0, 2)));
  EXPECT_TRUE(at::equal(seen.narrow(1, 7, 1), observations.narrow(1, 182, 1)));

  // The same by hand.
  const std::vector<NamedTensor> parameters = ParametersOf(vision);
  ASSERT_EQ(parameters.size(), 6u);
  EXPECT_EQ(parameters[0].name, "vision.camera.0.weight");
  EXPECT_EQ(parameters[0].tensor.sizes(), (std::vector<int64_t>{4, 2, 4, 4}));
  EXPECT_EQ(parameters[4].name, "vision.camera.features.0.weight");
  EXPECT_EQ(parameters[4].tensor.sizes(), (std::vector<int64_t>{5, 3 * 3 * 2}));
  at::Tensor x = observations.narrow(1, 2, 180).reshape({kRows, 2, 10, 9});
  x = at::conv2d(x, parameters[0].tensor, parameters[1].tensor, {2, 2}).relu();
  x = at::conv2d(x, parameters[2].tensor, parameters[3].tensor).relu();
  x = at::linear(x.flatten(1), parameters[4].tensor, parameters[5].tensor).relu();
  EXPECT_TRUE(at::allclose(seen.narrow(1, 0, 5), x, 1e-5, 1e-6));
}

TEST(Vision, GradientsReachEveryParameter) {
  const Vision vision = Make(kLayers, Shape());
  const std::vector<NamedTensor> parameters = ParametersOf(vision);
  torch::autograd::backward({vision.Forward(Observations()).square().sum()}, {});
  for (const NamedTensor& parameter : parameters) {
    EXPECT_GT(parameter.tensor.grad().abs().max().item<float>(), 0) << parameter.name;
  }
}

TEST(Vision, ManyRowsInPiecesAreThoseRows) {
  const Vision vision = Make(kLayers, Shape());
  const at::Tensor observations = Observations(600);
  const at::Tensor whole = vision.Forward(observations);
  const c10::NoGradGuard no_grad;
  EXPECT_TRUE(at::allclose(vision.Forward(observations), whole, 1e-5, 1e-6));
}

TEST(Vision, BytesAreImagesOfUnitScale) {
  at::Tensor bytes = Observations();
  bytes.narrow(1, 2, 180).mul_(255);
  EXPECT_TRUE(at::allclose(Make(kLayers, Shape(true)).Forward(bytes),
                           Make(kLayers, Shape()).Forward(Observations()), 1e-4, 1e-5));
}

TEST(Vision, OfSomeLeavesSeesNoOthers) {
  const Vision vision = Make(kLayers, Shape(), {0, 1});
  EXPECT_EQ(vision.outputs(), 2);
  EXPECT_TRUE(at::equal(vision.Forward(Observations()), Observations().narrow(1, 0, 2)));
}

TEST(Vision, ANamedArchitectureIsItsLayers) {
  const ModelShape shape = {.observation_dim = 4 * 84 * 84,
                            .leaves = {{"camera", 4 * 84 * 84, {4, 84, 84}}}};
  const auto sizes = [&](const std::string& text) {
    std::vector<std::vector<int64_t>> weights;
    for (const NamedTensor& parameter : ParametersOf(Make(text, shape))) {
      if (parameter.tensor.dim() > 1) weights.push_back(parameter.tensor.sizes().vec());
    }
    return weights;
  };
  using Sizes = std::vector<std::vector<int64_t>>;
  EXPECT_EQ(sizes("architecture: 'nature'"),
            (Sizes{{32, 4, 8, 8}, {64, 32, 4, 4}, {64, 64, 3, 3}, {512, 64 * 7 * 7}}));
  EXPECT_EQ(sizes("architecture: 'small' features: 100"),
            (Sizes{{16, 4, 8, 8}, {32, 16, 4, 4}, {100, 32 * 9 * 9}}));
}

TEST(Vision, AConfigThatDoesNotFitIsRefusedByField) {
  const auto refusal = [](const std::string& text) {
    return std::string(VisionOptions::Make(Config(text), Shape()).status().message());
  };
  const auto expect = [&](const std::string& text, const std::string& message) {
    EXPECT_NE(refusal(text).find(message), std::string::npos) << refusal(text);
  };
  expect("architecture: 'natur'", "model.convolution.architecture is \"natur\"");
  expect("architecture: 'natur'", "nature");
  expect("architecture: 'nature'", "\"camera\", (2, 10, 9)");
  expect("architecture: 'nature'", "layers[1].kernel is 4");
  expect("layers { channels: 4 kernel: 0 }", "layers[0].kernel is 0; it can be 1 … 4096");
  expect("architecture: 'small' leaves: 'camra'", "camera");
  expect("layers { channels: 4 kernel: 2 } leaves: 'state'", "\"state\", (2)");
  expect("leaves: 'camera'", "architecture is \"none\"");
  expect("architecture: 'small' features: -1", "features is -1");
  EXPECT_TRUE(refusal("").empty());
}

// The policy and value of a model, with and without a trunk in common.
TEST(ActorCritic, SeesImagesByConvolutions) {
  for (const char* type : {"mlp", "gru"}) {
    for (const bool shared : {false, true}) {
      v1::ModelConfig config;
      config.set_type(type);
      config.set_shared_trunk(shared);
      config.set_policy_gain(1);
      *config.mutable_convolution() = Config(kLayers);
      at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
      const auto model = MakeModel(config, Shape(), generator);
      ASSERT_TRUE(model.ok()) << model.status();
      const std::vector<NamedTensor> parameters = (*model)->Parameters();
      for (const NamedTensor& parameter : parameters) {
        at::Tensor(parameter.tensor).mutable_grad() = at::zeros_like(parameter.tensor);
      }
      Passage passage = {.keep = at::ones({1, kRows})};
      passage.policy_memory = at::zeros({kRows, (*model)->policy_memory_width()});
      passage.value_memory = at::zeros({kRows, (*model)->value_memory_width()});
      const Model::Output output = (*model)->Forward(Observations(), passage);
      torch::autograd::backward({(output.policy.square().sum() + output.value.square().sum())}, {});
      int eyes = 0;
      for (const NamedTensor& parameter : parameters) {
        if (parameter.name.find(".vision.camera.") == std::string::npos) continue;
        ++eyes;
        EXPECT_GT(parameter.tensor.grad().abs().max().item<float>(), 0) << parameter.name;
      }
      EXPECT_EQ(eyes, shared ? 6 : 12);
      v1::Policy policy;
      EXPECT_TRUE(absl::IsUnimplemented((*model)->Export(policy)));
    }
  }
}

TEST(ActorCritic, TheCriticAloneSeesAnImageThatIsKeptFromThePolicy) {
  v1::ModelConfig config;
  config.set_policy_gain(1);
  *config.mutable_convolution() = Config(kLayers);
  ModelShape shape = Shape();
  shape.policy_columns = {0, 1, 182};
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const auto model = MakeModel(config, shape, generator);
  ASSERT_TRUE(model.ok()) << model.status();
  at::Tensor other = Observations();
  other.narrow(1, 2, 180).mul_(0.5);
  Passage passage;
  const Model::Output output = (*model)->Forward(Observations(), passage);
  const Model::Output changed = (*model)->Forward(other, passage);
  EXPECT_TRUE(at::equal(output.policy, changed.policy));
  EXPECT_FALSE(at::allclose(output.value, changed.value));
}

}  // namespace
}  // namespace hivewire
