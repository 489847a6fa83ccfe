#include "policy/nn/testing/random_resnet.h"

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

class Weights {
 public:
  void Put(const std::string& name, const std::vector<int64_t>& shape, double low, double high) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    std::uniform_real_distribution<float> draw(static_cast<float>(low), static_cast<float>(high));
    TensorData data;
    data.type = TensorType::kFloat32;
    data.shape = shape;
    for (size_t k = 0; k < count; ++k) {
      const float value = draw(generator_);
      data.bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    weights_.Put(name, std::move(data));
  }

  void PutConvolution(const std::string& conv, const std::string& norm, int64_t out, int64_t in,
                      int64_t size) {
    const double bound = std::sqrt(3.0 / static_cast<double>(in * size * size));
    Put(conv + ".weight", {out, in, size, size}, -bound, bound);
    Put(norm + ".weight", {out}, 0.5, 1.0);
    Put(norm + ".bias", {out}, -0.2, 0.2);
    Put(norm + ".running_mean", {out}, -0.2, 0.2);
    Put(norm + ".running_var", {out}, 0.5, 1.5);
  }

  TensorMap Done() { return std::move(weights_); }

 private:
  std::mt19937 generator_{7};
  TensorMap weights_;
};

}  // namespace

TensorMap RandomResNet(int depth, int fc) {
  const bool bottleneck = depth == 50;
  const std::vector<int> blocks =
      depth == 18 ? std::vector<int>{2, 2, 2, 2} : std::vector<int>{3, 4, 6, 3};
  Weights weights;
  weights.PutConvolution("conv1", "bn1", 64, 3, 7);
  int64_t in = 64;
  for (int layer = 0; layer < 4; ++layer) {
    const int64_t width = int64_t{64} << layer;
    const int64_t out = bottleneck ? 4 * width : width;
    for (int block = 0; block < blocks[static_cast<size_t>(layer)]; ++block) {
      const std::string name = absl::StrCat("layer", layer + 1, ".", block, ".");
      if (bottleneck) {
        weights.PutConvolution(name + "conv1", name + "bn1", width, in, 1);
        weights.PutConvolution(name + "conv2", name + "bn2", width, width, 3);
        weights.PutConvolution(name + "conv3", name + "bn3", out, width, 1);
      } else {
        weights.PutConvolution(name + "conv1", name + "bn1", width, in, 3);
        weights.PutConvolution(name + "conv2", name + "bn2", width, width, 3);
      }
      if (in != out || (layer > 0 && block == 0))
        weights.PutConvolution(name + "downsample.0", name + "downsample.1", out, in, 1);
      in = out;
    }
  }
  if (fc > 0) {
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    weights.Put("fc.weight", {fc, in}, -bound, bound);
    weights.Put("fc.bias", {fc}, -bound, bound);
  }
  return weights.Done();
}

}  // namespace hivewire
