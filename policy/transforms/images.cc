// Transforms of images: to-tensor first, then the others, which take its (channels, height, width).
#include <ATen/ATen.h>

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/transforms/transforms.h"

namespace hivewire {
namespace {

// The same function of each chosen leaf.
class OfLeaves : public Transform {
 public:
  OfLeaves(std::vector<size_t> chosen, std::function<at::Tensor(const at::Tensor&)> function)
      : chosen_(std::move(chosen)), function_(std::move(function)) {}

  void Apply(const TransformRows&, std::vector<at::Tensor>& leaves) override {
    for (const size_t leaf : chosen_) leaves[leaf] = function_(leaves[leaf]);
  }

 private:
  const std::vector<size_t> chosen_;
  const std::function<at::Tensor(const at::Tensor&)> function_;
};

bool IsRawImage(const LeafShape& leaf) {
  return leaf.dtype == at::kByte && leaf.shape.size() == 3 &&
         (leaf.shape[2] == 1 || leaf.shape[2] == 3);
}

bool IsImage(const LeafShape& leaf) { return leaf.dtype == at::kFloat && leaf.shape.size() == 3; }

bool IsColourImage(const LeafShape& leaf) { return IsImage(leaf) && leaf.shape[0] % 3 == 0; }

constexpr char kImages[] = "float32 images (channels, height, width)";

// Width and height that the config asks for; at most those of `within`, where it is given.
absl::Status CheckSize(const v1::TransformConfig& config, const LeafShape* within) {
  for (const auto& [field, value, limit] :
       {std::tuple("height", config.height(), within == nullptr ? 4096 : within->shape[1]),
        std::tuple("width", config.width(), within == nullptr ? 4096 : within->shape[2])}) {
    if (value >= 1 && value <= limit) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(field, " is ", value, "; ", config.type(), " takes 1 … ", limit));
  }
  return absl::OkStatus();
}

}  // namespace

MadeTransform MakeToTensorImage(const v1::TransformConfig& config, int,
                                std::vector<LeafShape>& leaves) {
  auto chosen = ChosenLeaves(config, leaves, "uint8 images (height, width, 1 or 3)", IsRawImage);
  if (!chosen.ok()) return chosen.status();
  for (const size_t k : *chosen) {
    const std::vector<int64_t> shape = leaves[k].shape;
    leaves[k].dtype = at::kFloat;
    leaves[k].shape = {shape[2], shape[0], shape[1]};
  }
  return std::make_unique<OfLeaves>(*std::move(chosen), [](const at::Tensor& images) {
    return images.permute({0, 3, 1, 2}).to(at::kFloat).div_(255).contiguous();
  });
}

MadeTransform MakeResize(const v1::TransformConfig& config, int, std::vector<LeafShape>& leaves) {
  if (absl::Status status = CheckSize(config, nullptr); !status.ok()) return status;
  auto chosen = ChosenLeaves(config, leaves, kImages, IsImage);
  if (!chosen.ok()) return chosen.status();
  const int64_t height = config.height(), width = config.width();
  for (const size_t k : *chosen) leaves[k].shape = {leaves[k].shape[0], height, width};
  return std::make_unique<OfLeaves>(*std::move(chosen), [height, width](const at::Tensor& images) {
    return at::_upsample_bilinear2d_aa(images, {height, width}, /*align_corners=*/false);
  });
}

MadeTransform MakeCenterCrop(const v1::TransformConfig& config, int,
                             std::vector<LeafShape>& leaves) {
  auto chosen = ChosenLeaves(config, leaves, kImages, IsImage);
  if (!chosen.ok()) return chosen.status();
  const int64_t height = config.height(), width = config.width();
  for (const size_t k : *chosen) {
    if (absl::Status status = CheckSize(config, &leaves[k]); !status.ok()) return status;
    leaves[k].shape = {leaves[k].shape[0], height, width};
  }
  return std::make_unique<OfLeaves>(*std::move(chosen), [height, width](const at::Tensor& images) {
    return images.narrow(2, (images.size(2) - height) / 2, height)
        .narrow(3, (images.size(3) - width) / 2, width);
  });
}

MadeTransform MakeGrey(const v1::TransformConfig& config, int, std::vector<LeafShape>& leaves) {
  auto chosen = ChosenLeaves(
      config, leaves, "float32 images (3, height, width), or such in a stack", IsColourImage);
  if (!chosen.ok()) return chosen.status();
  for (const size_t k : *chosen) leaves[k].shape[0] /= 3;
  return std::make_unique<OfLeaves>(*std::move(chosen), [](const at::Tensor& images) {
    // ITU-R BT.601's luma.
    const at::Tensor colours = images.unflatten(1, {images.size(1) / 3, 3});
    return colours.select(2, 0) * 0.299 + colours.select(2, 1) * 0.587 +
           colours.select(2, 2) * 0.114;
  });
}

}  // namespace hivewire
