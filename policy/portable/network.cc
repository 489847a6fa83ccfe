#include "policy/portable/network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

absl::Status Bad(const std::string& field, const std::string& value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

absl::Status CheckWidth(const std::string& field, uint32_t width, uint32_t limit) {
  if (width == 0) return Bad(field, "0", " is not at least 1");
  if (width <= limit) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_LIMIT,
                   absl::StrCat(field, ": ", width, " is more than this server's ", limit), field,
                   absl::StrCat(width));
}

}  // namespace

absl::Status CheckFloats(const std::string& field, const std::string& bytes, uint64_t count) {
  if (bytes.size() != count * sizeof(float)) {
    return Bad(field, absl::StrCat(bytes.size()),
               absl::StrCat(" bytes where ", count, " float32 need ", count * sizeof(float)));
  }
  for (uint64_t k = 0; k < count; ++k) {
    float value;
    std::memcpy(&value, bytes.data() + k * sizeof(float), sizeof(float));
    if (!std::isfinite(value)) {
      return Bad(absl::StrCat(field, "[", k, "]"), absl::StrCat(value), " is not finite");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLayers(absl::string_view name,
                         const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers,
                         const NetworkLimits& limits) {
  if (layers.size() > limits.max_layers) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat(name, ": ", layers.size(), " layers where this server takes ",
                                  limits.max_layers),
                     name, absl::StrCat(layers.size()));
  }
  for (int k = 0; k < layers.size(); ++k) {
    const v1::DenseLayer& layer = layers[k];
    const std::string at = absl::StrCat(name, "[", k, "]");
    absl::Status status = CheckWidth(absl::StrCat(at, ".inputs"), layer.inputs(), limits.max_width);
    if (status.ok())
      status = CheckWidth(absl::StrCat(at, ".outputs"), layer.outputs(), limits.max_width);
    if (!status.ok()) return status;
    if (k > 0 && layer.inputs() != layers[k - 1].outputs()) {
      return Bad(absl::StrCat(at, ".inputs"), absl::StrCat(layer.inputs()),
                 absl::StrCat(" where the layer before has ", layers[k - 1].outputs(), " outputs"));
    }
    if (!v1::Activation_IsValid(layer.activation())) {
      return Bad(absl::StrCat(at, ".activation"),
                 absl::StrCat(static_cast<int>(layer.activation())),
                 " is none of identity (0), tanh (1), relu (2) and elu (3)");
    }
    status = CheckFloats(absl::StrCat(at, ".weight"), layer.weight(),
                         uint64_t{layer.inputs()} * layer.outputs());
    if (status.ok()) status = CheckFloats(absl::StrCat(at, ".bias"), layer.bias(), layer.outputs());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

Network::Network(const google::protobuf::RepeatedPtrField<v1::DenseLayer>& layers,
                 DenseKernel kernel)
    : kernel_(kernel) {
  for (const v1::DenseLayer& from : layers) {
    Layer layer;
    layer.inputs = from.inputs();
    layer.panels = (from.outputs() + kPanel - 1) / kPanel;
    layer.activation = from.activation();
    layer.weights.resize(layer.panels * layer.inputs * kPanel);
    layer.bias.resize(layer.panels * kPanel);
    for (size_t output = 0; output < from.outputs(); ++output) {
      const size_t panel = output / kPanel;
      const size_t place = output % kPanel;
      std::memcpy(&layer.bias[output], from.bias().data() + output * sizeof(float), sizeof(float));
      for (size_t input = 0; input < layer.inputs; ++input) {
        std::memcpy(&layer.weights[(panel * layer.inputs + input) * kPanel + place],
                    from.weight().data() + (output * layer.inputs + input) * sizeof(float),
                    sizeof(float));
      }
    }
    outputs_ = from.outputs();
    max_panels_ = std::max(max_panels_, layer.panels);
    layers_.push_back(std::move(layer));
  }
}

const float* Network::Evaluate(const float* x, size_t x_stride, size_t rows,
                               Scratch& scratch) const {
  const size_t needed = rows * max_panels_ * kPanel;
  if (scratch.even.size() < needed) scratch.even.resize(needed);
  if (scratch.odd.size() < needed) scratch.odd.resize(needed);
  DenseArguments arguments;
  arguments.x = x;
  arguments.x_stride = x_stride;
  arguments.rows = rows;
  for (size_t k = 0; k < layers_.size(); ++k) {
    const Layer& layer = layers_[k];
    arguments.inputs = layer.inputs;
    arguments.weights = layer.weights.data();
    arguments.bias = layer.bias.data();
    arguments.panels = layer.panels;
    arguments.activation = layer.activation;
    arguments.y = (k % 2 == 0 ? scratch.even : scratch.odd).data();
    arguments.y_stride = layer.panels * kPanel;
    kernel_(arguments);
    arguments.x = arguments.y;
    arguments.x_stride = arguments.y_stride;
  }
  return arguments.x;
}

}  // namespace hivewire
