// Weights of a ResNet that was never trained, by torchvision's names.
#ifndef HIVEWIRE_POLICY_NN_TESTING_RANDOM_RESNET_H_
#define HIVEWIRE_POLICY_NN_TESTING_RANDOM_RESNET_H_

#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

// `depth` is 18, 34 or 50; `fc` features of a last layer, 0 for none. Activations stay near 1.
TensorMap RandomResNet(int depth, int fc = 0);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_TESTING_RANDOM_RESNET_H_
