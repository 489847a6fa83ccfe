// Images to features by a frozen network, as R3M and VIP do it. Their networks take images of
// 224x224 as to_tensor_image gives them, normalised by ImageNet's mean and deviation.
#include <ATen/ATen.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/checkpoint/safetensors.h"
#include "policy/nn/resnet.h"
#include "policy/transforms/transforms.h"

namespace hivewire {
namespace {

constexpr char kWeights[] = "weights";

// Of ImageNet's images, by colour, as torchvision's models expect them.
constexpr float kMean[] = {0.485f, 0.456f, 0.406f};
constexpr float kDeviation[] = {0.229f, 0.224f, 0.225f};

bool IsColourImage(const LeafShape& leaf) {
  return leaf.dtype == at::kFloat && leaf.shape.size() == 3 && leaf.shape[0] == 3;
}

class Encoder : public Transform {
 public:
  Encoder(std::vector<size_t> chosen, ResNet network)
      : chosen_(std::move(chosen)), network_(std::move(network)) {}

  void Apply(const TransformRows&, std::vector<at::Tensor>& leaves) override {
    for (const size_t leaf : chosen_) {
      const at::Tensor& images = leaves[leaf];
      const auto by_colour = [&images](const float(&values)[3]) {
        return at::tensor(c10::ArrayRef<float>(values)).to(images.device()).view({1, 3, 1, 1});
      };
      if (device_ != images.device()) {
        network_.To(images.device());
        device_ = images.device();
      }
      leaves[leaf] = network_.Forward((images - by_colour(kMean)) / by_colour(kDeviation));
    }
  }

 private:
  const std::vector<size_t> chosen_;
  ResNet network_;
  at::Device device_ = at::kCPU;  // where the network is
};

}  // namespace

MadeTransform MakeEncoder(const v1::TransformConfig& config, int, std::vector<LeafShape>& leaves) {
  auto chosen = ChosenLeaves(config, leaves, "float32 images (3, height, width)", IsColourImage);
  if (!chosen.ok()) return chosen.status();
  const auto path = config.options().find(kWeights);
  if (path == config.options().end() || path->second.string_value().empty()) {
    return absl::InvalidArgumentError(
        "options.weights: a safetensors file is needed (deploy/convert_encoder.py writes it)");
  }
  const auto name = [&](const absl::Status& status) {
    return absl::InvalidArgumentError(
        absl::StrCat("options.weights: ", path->second.string_value(), ": ", status.message()));
  };
  const absl::StatusOr<Safetensors> file = ReadSafetensors(path->second.string_value());
  if (!file.ok()) return name(file.status());
  absl::StatusOr<ResNet> network = ResNet::Make(file->tensors);
  if (!network.ok()) return name(network.status());
  for (const size_t k : *chosen) leaves[k].shape = {network->num_features()};
  return std::make_unique<Encoder>(*std::move(chosen), *std::move(network));
}

}  // namespace hivewire
