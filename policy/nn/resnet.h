// A residual network that turns images into features: ResNet-18, -34 or -50 as torchvision has
// them, in evaluation (batch norms take the statistics that they learned; He et al. 2015, with the
// stride in the bottleneck's 3x3). Weights are frozen. Encoders such as R3M's and VIP's are such
// networks.
//
// Names of tensors are torchvision's ("layer1.0.conv1.weight"). With "fc.weight" and "fc.bias" the
// features go through that last layer; without, they are the pooled ones, 512 or 2048.
//
// Any number of threads may use one, but for To. Both may throw what torch throws.
#ifndef HIVEWIRE_POLICY_NN_RESNET_H_
#define HIVEWIRE_POLICY_NN_RESNET_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

class ResNet {
 public:
  // How deep it is shows in the names. FAILED_PRECONDITION naming a tensor that is missing, is no
  // float32 or has another shape than the network's.
  static absl::StatusOr<ResNet> Make(const TensorMap& weights);

  int depth() const { return depth_; }
  int64_t num_features() const { return num_features_; }

  // Moves the weights there, from the CPU.
  void To(const at::Device& device);

  // (N, 3, height, width) float32 → (N, num_features()). The images are where the weights are.
  at::Tensor Forward(const at::Tensor& images) const;

 private:
  // A convolution and the batch norm after it, which are one affine map.
  struct Convolution {
    at::Tensor weight, bias;
    int64_t stride = 1;
    int64_t padding = 0;
  };
  struct Block {
    std::vector<Convolution> path;      // ReLU after each but the last
    std::vector<Convolution> shortcut;  // one, or none for the identity
  };

  ResNet() = default;

  static at::Tensor Apply(const Convolution& convolution, const at::Tensor& images);

  int depth_ = 0;
  int64_t num_features_ = 0;
  Convolution stem_;
  std::vector<Block> blocks_;
  at::Tensor fc_weight_, fc_bias_;  // undefined without a last layer
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_RESNET_H_
