#include "policy/nn/resnet.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "policy/nn/testing/random_resnet.h"

namespace hivewire {
namespace {

// The network written out in plain loops, layer by layer as the paper and torchvision have it, for
// one image.
struct Volume {
  int channels = 0, size = 0;
  std::vector<float> values;  // (channels, size, size)

  float At(int channel, int row, int column) const {
    if (row < 0 || column < 0 || row >= size || column >= size) return 0;
    return values[static_cast<size_t>((channel * size + row) * size + column)];
  }
};

class WrittenOut {
 public:
  explicit WrittenOut(const TensorMap& weights) : weights_(weights) {}

  std::vector<float> Features(const Volume& image, int depth) const {
    Volume values = MaxPool(Relu(Normed(image, "conv1", "bn1", 2)));
    const std::vector<int> blocks =
        depth == 18 ? std::vector<int>{2, 2, 2, 2} : std::vector<int>{3, 4, 6, 3};
    for (int layer = 1; layer <= 4; ++layer) {
      for (int block = 0; block < blocks[static_cast<size_t>(layer - 1)]; ++block) {
        const std::string name =
            "layer" + std::to_string(layer) + "." + std::to_string(block) + ".";
        const int stride = layer > 1 && block == 0 ? 2 : 1;
        Volume path;
        if (depth == 50) {
          path = Relu(Normed(values, name + "conv1", name + "bn1", 1));
          path = Relu(Normed(path, name + "conv2", name + "bn2", stride));
          path = Normed(path, name + "conv3", name + "bn3", 1);
        } else {
          path = Relu(Normed(values, name + "conv1", name + "bn1", stride));
          path = Normed(path, name + "conv2", name + "bn2", 1);
        }
        if (weights_.contains(name + "downsample.0.weight"))
          values = Normed(values, name + "downsample.0", name + "downsample.1", stride);
        for (size_t k = 0; k < path.values.size(); ++k) path.values[k] += values.values[k];
        values = Relu(path);
      }
    }
    std::vector<float> features;
    const int pixels = values.size * values.size;
    for (int channel = 0; channel < values.channels; ++channel) {
      double sum = 0;
      for (int k = 0; k < pixels; ++k)
        sum += values.values[static_cast<size_t>(channel * pixels + k)];
      features.push_back(static_cast<float>(sum / pixels));
    }
    return features;
  }

 private:
  const float* Weight(const std::string& name) const {
    return reinterpret_cast<const float*>(weights_.tensors().at(name).bytes.data());
  }

  Volume Normed(const Volume& in, const std::string& conv, const std::string& norm,
                int stride) const {
    const TensorData& data = weights_.tensors().at(conv + ".weight");
    const int kernel = static_cast<int>(data.shape[2]);
    Volume out{static_cast<int>(data.shape[0]), (in.size + stride - 1) / stride, {}};
    const float* const weight = Weight(conv + ".weight");
    for (int channel = 0; channel < out.channels; ++channel) {
      const double factor = Weight(norm + ".weight")[channel] /
                            std::sqrt(Weight(norm + ".running_var")[channel] + 1e-5);
      for (int row = 0; row < out.size; ++row) {
        for (int column = 0; column < out.size; ++column) {
          double sum = 0;
          const float* element = weight + channel * in.channels * kernel * kernel;
          for (int from = 0; from < in.channels; ++from) {
            for (int y = 0; y < kernel; ++y) {
              for (int x = 0; x < kernel; ++x) {
                sum += double{*element++} *
                       in.At(from, row * stride + y - kernel / 2, column * stride + x - kernel / 2);
              }
            }
          }
          out.values.push_back(
              static_cast<float>((sum - Weight(norm + ".running_mean")[channel]) * factor +
                                 Weight(norm + ".bias")[channel]));
        }
      }
    }
    return out;
  }

  static Volume Relu(Volume in) {
    for (float& value : in.values) value = std::max(value, 0.0f);
    return in;
  }

  // After a ReLU, so that the 0 beyond the edge is no maximum of its own.
  static Volume MaxPool(const Volume& in) {
    Volume out{in.channels, (in.size + 1) / 2, {}};
    for (int channel = 0; channel < in.channels; ++channel) {
      for (int row = 0; row < out.size; ++row) {
        for (int column = 0; column < out.size; ++column) {
          float largest = 0;
          for (int y = -1; y <= 1; ++y) {
            for (int x = -1; x <= 1; ++x)
              largest = std::max(largest, in.At(channel, 2 * row + y, 2 * column + x));
          }
          out.values.push_back(largest);
        }
      }
    }
    return out;
  }

  const TensorMap& weights_;
};

TEST(ResNet, EqualsTheSameNetworkWrittenOut) {
  constexpr int kSize = 32;
  for (const int depth : {18, 34, 50}) {
    const TensorMap weights = RandomResNet(depth);
    const absl::StatusOr<ResNet> network = ResNet::Make(weights);
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_EQ(network->depth(), depth);
    std::mt19937 generator(3);
    std::normal_distribution<float> draw;
    Volume image{3, kSize, {}};
    for (int k = 0; k < 3 * kSize * kSize; ++k) image.values.push_back(draw(generator));
    const std::vector<float> expected = WrittenOut(weights).Features(image, depth);
    at::Tensor batch = at::empty({2, 3, kSize, kSize}, at::kFloat);
    batch[0].fill_(0.5);
    std::memcpy(batch[1].data_ptr<float>(), image.values.data(),
                image.values.size() * sizeof(float));
    const at::Tensor features = network->Forward(batch);
    ASSERT_EQ(features.size(1), static_cast<int64_t>(expected.size()));
    ASSERT_EQ(network->num_features(), features.size(1));
    float largest = 0;
    for (size_t k = 0; k < expected.size(); ++k) {
      largest = std::max(largest, std::abs(expected[k]));
      EXPECT_NEAR(features[1][static_cast<int64_t>(k)].item<float>(), expected[k], 1e-4) << k;
    }
    EXPECT_GT(largest, 0.1);
  }
}

TEST(ResNet, ALastLayerSetsTheNumberOfFeatures) {
  const absl::StatusOr<ResNet> network = ResNet::Make(RandomResNet(18, /*fc=*/10));
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->Forward(at::zeros({1, 3, 32, 32})).size(1), 10);
}

TEST(ResNet, WrongTensorsAreNamed) {
  EXPECT_NE(ResNet::Make(TensorMap()).status().message().find("ResNet-18"), std::string::npos);
  TensorMap weights = RandomResNet(18);
  weights.PutFloats("layer2.0.bn1.bias", {1, 2, 3});
  EXPECT_NE(ResNet::Make(weights).status().message().find("layer2.0.bn1.bias"), std::string::npos);
  const TensorMap whole = RandomResNet(18);
  TensorMap less;
  for (const auto& [name, tensor] : whole.tensors())
    if (name != "layer4.1.bn2.running_var") less.Put(name, tensor);
  EXPECT_NE(ResNet::Make(less).status().message().find("layer4.1.bn2.running_var"),
            std::string::npos);
}

}  // namespace
}  // namespace hivewire
