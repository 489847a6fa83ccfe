#include "policy/nn/vision.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest.h"
#include "policy/nn/named.h"

namespace hivewire {
namespace {

// What lies between the layers is many times as large as the images: without gradients, where it
// is not kept, no more rows than this are under way.
constexpr int64_t kRowsAtOnce = 256;
constexpr int64_t kOwnFeatures = 256;

struct Architecture {
  const char* name;
  // Channels, kernel, stride.
  std::vector<std::vector<int>> layers;
  int64_t features;
};

const std::vector<Architecture>& Architectures() {
  static const auto* const all = new std::vector<Architecture>{
      {"none", {}, 0},
      {"small", {{16, 8, 4}, {32, 4, 2}}, 256},
      {"nature", {{32, 8, 4}, {64, 4, 2}, {64, 3, 1}}, 512},
  };
  return *all;
}

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("model.convolution.", field, what));
}

absl::Status ResolveLayers(const v1::ConvolutionConfig& config, VisionOptions& options) {
  const auto named =
      FindNamed("model.convolution.architecture", config.architecture(), Architectures());
  if (!named.ok()) return named.status();
  options.layers.assign(config.layers().begin(), config.layers().end());
  options.features = kOwnFeatures;
  if (options.layers.empty()) {
    options.features = (*named)->features;
    for (const std::vector<int>& of : (*named)->layers) {
      v1::ConvolutionLayer& layer = options.layers.emplace_back();
      layer.set_channels(of[0]);
      layer.set_kernel(of[1]);
      layer.set_stride(of[2]);
    }
  }
  if (config.features() != 0) options.features = config.features();
  if (options.features < (options.layers.empty() ? 0 : 1) || options.features > 65536) {
    return Wrong("features",
                 absl::StrCat(" is ", config.features(), "; it can be 1 … 65536, or 0"));
  }
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const v1::ConvolutionLayer& layer = options.layers[k];
    for (const auto& [field, value] : {std::pair("channels", layer.channels()),
                                       {"kernel", layer.kernel()},
                                       {"stride", layer.stride()}}) {
      if (value >= 1 && value <= 4096) continue;
      return Wrong(absl::StrCat("layers[", k, "].", field),
                   absl::StrCat(" is ", value, "; it can be 1 … 4096"));
    }
  }
  return absl::OkStatus();
}

// Pixels along a side, after a layer.
int64_t SideAfter(int64_t side, const v1::ConvolutionLayer& layer) {
  return side < layer.kernel() ? 0 : (side - layer.kernel()) / layer.stride() + 1;
}

absl::Status CheckImage(const ObservationLeaf& leaf, const VisionOptions& options) {
  const std::string about =
      absl::StrCat("\"", leaf.name, "\", (", absl::StrJoin(leaf.shape, ", "), ")");
  if (leaf.shape.size() != 3) {
    return Wrong("leaves", absl::StrCat(" has ", about, "; an image is (channels, height, width)"));
  }
  int64_t height = leaf.shape[1], width = leaf.shape[2];
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const v1::ConvolutionLayer& layer = options.layers[k];
    if (std::min(height, width) < layer.kernel()) {
      return Wrong(
          absl::StrCat("layers[", k, "].kernel"),
          absl::StrCat(" is ", layer.kernel(), ", more than the ", height, "x", width,
                       " pixels that are left there of ", about,
                       "; an image is (channels, height, width), as to_tensor_image leaves it"));
    }
    height = SideAfter(height, layer);
    width = SideAfter(width, layer);
  }
  return absl::OkStatus();
}

at::Tensor Uniform(at::IntArrayRef shape, double bound, at::Generator& generator) {
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator);
}

}  // namespace

absl::StatusOr<VisionOptions> VisionOptions::Make(const v1::ConvolutionConfig& config,
                                                  const ModelShape& shape) {
  VisionOptions options;
  if (absl::Status status = ResolveLayers(config, options); !status.ok()) return status;
  if (options.empty()) {
    if (config.leaves().empty()) return options;
    return Wrong("leaves", " names images, but architecture is \"none\" and there are no layers");
  }
  std::vector<std::string> names;
  int64_t column = 0;
  for (const ObservationLeaf& leaf : shape.leaves) {
    const bool image = config.leaves().empty() && leaf.shape.size() == 3;
    options.leaves.push_back({leaf, column, image});
    names.push_back(leaf.name);
    column += leaf.size;
  }
  for (const std::string& name : config.leaves()) {
    const auto named = std::find(names.begin(), names.end(), name);
    if (named == names.end()) {
      return Wrong("leaves", absl::StrCat(" has \"", name, "\"", NearestHint(name, names)));
    }
    options.leaves[static_cast<size_t>(named - names.begin())].image = true;
  }
  bool any = false;
  for (const Leaf& leaf : options.leaves) {
    if (!leaf.image) continue;
    any = true;
    if (absl::Status status = CheckImage(leaf.leaf, options); !status.ok()) return status;
  }
  if (any) return options;
  return Wrong("architecture",
               absl::StrCat(" is \"", config.architecture(),
                            "\", but no leaf of the observation is an image of (channels, height, "
                            "width): there is ",
                            absl::StrJoin(names, ", ")));
}

Vision::Vision(const VisionOptions& options, const std::vector<int64_t>& columns,
               const Mlp::Options& dense, at::Generator& generator) {
  for (const VisionOptions::Leaf& leaf : options.leaves) {
    const bool seen =
        columns.empty() || std::binary_search(columns.begin(), columns.end(), leaf.column);
    if (!seen || leaf.leaf.size == 0) continue;
    if (leaf.image) {
      eyes_.push_back(MakeEye(options, leaf, dense, generator));
      outputs_ += options.features;
    } else {
      numbers_.push_back({leaf.column, leaf.leaf.size});
      outputs_ += leaf.leaf.size;
    }
  }
}

Vision::Eye Vision::MakeEye(const VisionOptions& options, const VisionOptions::Leaf& leaf,
                            const Mlp::Options& dense, at::Generator& generator) {
  Eye eye;
  eye.name = leaf.leaf.name;
  eye.column = leaf.column;
  eye.shape = leaf.leaf.shape;
  if (leaf.leaf.bytes) eye.scale = 1.0 / 255;
  int64_t channels = eye.shape[0], height = eye.shape[1], width = eye.shape[2];
  for (const v1::ConvolutionLayer& layer : options.layers) {
    const int64_t kernel = layer.kernel();
    const int64_t inputs = channels * kernel * kernel;
    const double bound = 1 / std::sqrt(static_cast<double>(inputs));
    const at::Tensor weight =
        dense.uniform ? Uniform({layer.channels(), inputs}, bound, generator)
                      : Orthogonal(layer.channels(), inputs, dense.hidden_gain, generator);
    eye.parameters.push_back(weight.view({layer.channels(), channels, kernel, kernel}));
    eye.parameters.push_back(dense.uniform ? Uniform({layer.channels()}, bound, generator)
                                           : at::zeros({layer.channels()}, at::kFloat));
    eye.strides.push_back(layer.stride());
    channels = layer.channels();
    height = SideAfter(height, layer);
    width = SideAfter(width, layer);
  }
  for (at::Tensor& parameter : eye.parameters) parameter.set_requires_grad(true);
  Mlp::Options features = dense;
  features.widths = {channels * height * width, options.features};
  features.output_activation = ActivationKind::kRelu;
  eye.features = Mlp(features, generator);
  return eye;
}

at::Tensor Vision::Forward(const at::Tensor& observations) const {
  const int64_t rows = observations.size(0);
  if (c10::GradMode::is_enabled() || rows <= kRowsAtOnce) return ForwardAtOnce(observations);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : observations.split(kRowsAtOnce)) {
    parts.push_back(ForwardAtOnce(part));
  }
  return at::cat(parts);
}

at::Tensor Vision::ForwardAtOnce(const at::Tensor& observations) const {
  const int64_t rows = observations.size(0);
  std::vector<at::Tensor> seen;
  for (const Eye& eye : eyes_) {
    const int64_t size = eye.shape[0] * eye.shape[1] * eye.shape[2];
    at::Tensor x = observations.narrow(1, eye.column, size)
                       .reshape({rows, eye.shape[0], eye.shape[1], eye.shape[2]});
    if (eye.scale != 1) x = x * eye.scale;
    for (size_t k = 0; k < eye.strides.size(); ++k) {
      x = at::relu(at::conv2d(x, eye.parameters[2 * k], eye.parameters[2 * k + 1],
                              {eye.strides[k], eye.strides[k]}));
    }
    seen.push_back(eye.features.Forward(x.flatten(1)));
  }
  for (const Numbers& numbers : numbers_) {
    seen.push_back(observations.narrow(1, numbers.column, numbers.count));
  }
  return at::cat(seen, 1);
}

void Vision::AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
  for (const Eye& eye : eyes_) {
    const std::string name = absl::StrCat(prefix, ".", eye.name);
    for (size_t i = 0; i < eye.parameters.size(); ++i) {
      out.push_back(
          {absl::StrCat(name, ".", i / 2, i % 2 == 0 ? ".weight" : ".bias"), eye.parameters[i]});
    }
    eye.features.AppendParameters(name + ".features", out);
  }
}

}  // namespace hivewire
