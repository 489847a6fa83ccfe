// What a network sees of an observation with images: the features of each image, by convolutions
// and a dense layer of its own, then the numbers of all other leaves.
//
// Plain torch operations, on any device. May throw what torch throws. One thread at a time.
#ifndef HIVEWIRE_POLICY_NN_VISION_H_
#define HIVEWIRE_POLICY_NN_VISION_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/nn/mlp.h"
#include "policy/nn/model.h"
#include "policy/observation_leaf.h"

namespace hivewire {

// A ConvolutionConfig, resolved for an observation.
struct VisionOptions {
  struct Leaf {
    ObservationLeaf leaf;
    // Of its first element in a row.
    int64_t column = 0;
    bool image = false;
  };

  std::vector<v1::ConvolutionLayer> layers;
  int64_t features = 0;
  std::vector<Leaf> leaves;

  // Whether there are no convolutions.
  bool empty() const { return layers.empty(); }

  // INVALID_ARGUMENT names the field: an architecture or leaf that is none, a leaf that is no image
  // or too small for the layers.
  static absl::StatusOr<VisionOptions> Make(const v1::ConvolutionConfig& config,
                                            const ModelShape& shape);
};

class Vision {
 public:
  // None: `empty`.
  Vision() = default;
  // Sees the leaves whose columns are among `columns`; all where that is empty. `dense` says how
  // weights start.
  Vision(const VisionOptions& options, const std::vector<int64_t>& columns,
         const Mlp::Options& dense, at::Generator& generator);

  bool empty() const { return outputs_ == 0; }
  int64_t outputs() const { return outputs_; }

  // (rows, observation_dim) → (rows, outputs).
  at::Tensor Forward(const at::Tensor& observations) const;

  // "prefix.LEAF.0.weight" (channels, channels before, kernel, kernel), …, "prefix.LEAF.features…".
  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const;

 private:
  struct Eye {
    std::string name;
    int64_t column = 0;
    std::vector<int64_t> shape;
    // Pixels are multiplied by this.
    double scale = 1;
    // Weight and bias of each layer in turn.
    std::vector<at::Tensor> parameters;
    std::vector<int64_t> strides;
    Mlp features;
  };
  // Columns that are no image's.
  struct Numbers {
    int64_t column = 0;
    int64_t count = 0;
  };

  static Eye MakeEye(const VisionOptions& options, const VisionOptions::Leaf& leaf,
                     const Mlp::Options& dense, at::Generator& generator);
  at::Tensor ForwardAtOnce(const at::Tensor& observations) const;

  std::vector<Eye> eyes_;
  std::vector<Numbers> numbers_;
  int64_t outputs_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_VISION_H_
