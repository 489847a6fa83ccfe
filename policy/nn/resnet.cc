#include "policy/nn/resnet.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hivewire {
namespace {

constexpr double kEpsilon = 1e-5;  // of torch's batch norm

struct Form {
  int depth;
  bool bottleneck;
  std::array<int, 4> blocks;  // of each layer
};

constexpr Form kForms[] = {
    {18, false, {2, 2, 2, 2}}, {34, false, {3, 4, 6, 3}}, {50, true, {3, 4, 6, 3}}};

std::string BlockName(int layer, int block) {
  return absl::StrCat("layer", layer + 1, ".", block, ".");
}

absl::StatusOr<Form> FormOf(const TensorMap& weights) {
  for (const Form& form : kForms) {
    bool fits = weights.contains("layer1.0.conv3.weight") == form.bottleneck;
    for (int layer = 0; layer < 4; ++layer) {
      const int blocks = form.blocks[static_cast<size_t>(layer)];
      fits = fits && weights.contains(BlockName(layer, blocks - 1) + "conv1.weight") &&
             !weights.contains(BlockName(layer, blocks) + "conv1.weight");
    }
    if (fits) return form;
  }
  return absl::FailedPreconditionError(
      "these are not the tensors of a ResNet-18, -34 or -50 (\"layer1.0.conv1.weight\", …)");
}

absl::StatusOr<at::Tensor> Read(const TensorMap& weights, const std::string& name,
                                std::vector<int64_t> shape) {
  const absl::StatusOr<const TensorData*> data = weights.Get(name);
  if (!data.ok())
    return absl::FailedPreconditionError(absl::StrCat("there is no tensor \"", name, "\""));
  if ((*data)->type != TensorType::kFloat32 || (*data)->shape != shape) {
    return absl::FailedPreconditionError(absl::StrCat(
        "tensor \"", name, "\" is ", NameOf((*data)->type), " (",
        absl::StrJoin((*data)->shape, ", "), "), not F32 (", absl::StrJoin(shape, ", "), ")"));
  }
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), (*data)->bytes.data(), (*data)->bytes.size());
  return tensor;
}

// Reads a network's tensors one after the other, and keeps the first error.
class Reader {
 public:
  explicit Reader(const TensorMap& weights) : weights_(weights) {}

  at::Tensor Take(const std::string& name, std::vector<int64_t> shape) {
    absl::StatusOr<at::Tensor> tensor = Read(weights_, name, std::move(shape));
    if (tensor.ok()) return *std::move(tensor);
    if (status_.ok()) status_ = tensor.status();
    return at::Tensor();
  }

  // Weight and bias of a convolution without bias and the batch norm `norm` after it, computed in
  // double: the product of two affine maps.
  std::pair<at::Tensor, at::Tensor> TakeFolded(const std::string& conv, const std::string& norm,
                                               int64_t out, int64_t in, int64_t size) {
    const at::Tensor weight = Take(conv + ".weight", {out, in, size, size});
    const at::Tensor scale = Take(norm + ".weight", {out});
    const at::Tensor shift = Take(norm + ".bias", {out});
    const at::Tensor mean = Take(norm + ".running_mean", {out});
    const at::Tensor variance = Take(norm + ".running_var", {out});
    if (!status_.ok()) return {};
    const at::Tensor factor = scale.to(at::kDouble) / (variance.to(at::kDouble) + kEpsilon).sqrt();
    return {(weight.to(at::kDouble) * factor.view({out, 1, 1, 1})).to(at::kFloat),
            (shift.to(at::kDouble) - mean.to(at::kDouble) * factor).to(at::kFloat)};
  }

  const absl::Status& status() const { return status_; }

 private:
  const TensorMap& weights_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<ResNet> ResNet::Make(const TensorMap& weights) {
  const absl::StatusOr<Form> form = FormOf(weights);
  if (!form.ok()) return form.status();
  Reader reader(weights);
  const auto convolution = [&reader](const std::string& conv, const std::string& norm, int64_t out,
                                     int64_t in, int64_t size, int64_t stride) {
    auto [weight, bias] = reader.TakeFolded(conv, norm, out, in, size);
    return Convolution{std::move(weight), std::move(bias), stride, size / 2};
  };
  ResNet net;
  net.depth_ = form->depth;
  net.stem_ = convolution("conv1", "bn1", 64, 3, 7, 2);
  int64_t in = 64;
  for (int layer = 0; layer < 4; ++layer) {
    const int64_t width = int64_t{64} << layer;
    const int64_t out = form->bottleneck ? 4 * width : width;
    for (int block = 0; block < form->blocks[static_cast<size_t>(layer)]; ++block) {
      const std::string name = BlockName(layer, block);
      const int64_t stride = layer > 0 && block == 0 ? 2 : 1;
      Block made;
      if (form->bottleneck) {
        made.path = {convolution(name + "conv1", name + "bn1", width, in, 1, 1),
                     convolution(name + "conv2", name + "bn2", width, width, 3, stride),
                     convolution(name + "conv3", name + "bn3", out, width, 1, 1)};
      } else {
        made.path = {convolution(name + "conv1", name + "bn1", width, in, 3, stride),
                     convolution(name + "conv2", name + "bn2", width, width, 3, 1)};
      }
      if (stride != 1 || in != out) {
        made.shortcut = {
            convolution(name + "downsample.0", name + "downsample.1", out, in, 1, stride)};
      }
      net.blocks_.push_back(std::move(made));
      in = out;
    }
  }
  net.num_features_ = in;
  if (const auto fc = weights.Get("fc.weight"); fc.ok() && !(*fc)->shape.empty()) {
    net.num_features_ = (*fc)->shape[0];
    net.fc_weight_ = reader.Take("fc.weight", {net.num_features_, in});
    net.fc_bias_ = reader.Take("fc.bias", {net.num_features_});
  }
  if (!reader.status().ok()) return reader.status();
  return net;
}

at::Tensor ResNet::Apply(const Convolution& convolution, const at::Tensor& images) {
  return at::conv2d(images, convolution.weight, convolution.bias, convolution.stride,
                    convolution.padding);
}

void ResNet::To(const at::Device& device) {
  const auto move = [&device](Convolution& convolution) {
    convolution.weight = convolution.weight.to(device);
    convolution.bias = convolution.bias.to(device);
  };
  move(stem_);
  for (Block& block : blocks_) {
    for (Convolution& convolution : block.path) move(convolution);
    for (Convolution& convolution : block.shortcut) move(convolution);
  }
  if (!fc_weight_.defined()) return;
  fc_weight_ = fc_weight_.to(device);
  fc_bias_ = fc_bias_.to(device);
}

at::Tensor ResNet::Forward(const at::Tensor& images) const {
  const c10::NoGradGuard no_grad;
  at::Tensor values = at::max_pool2d(at::relu(Apply(stem_, images)), 3, 2, 1);
  for (const Block& block : blocks_) {
    at::Tensor path = values;
    for (size_t k = 0; k < block.path.size(); ++k) {
      path = Apply(block.path[k], path);
      if (k + 1 < block.path.size()) path.relu_();
    }
    if (!block.shortcut.empty()) values = Apply(block.shortcut[0], values);
    values = at::relu(path + values);
  }
  const at::Tensor features = values.mean({2, 3});
  if (!fc_weight_.defined()) return features;
  return at::linear(features, fc_weight_, fc_bias_);
}

}  // namespace hivewire
