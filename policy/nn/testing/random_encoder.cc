// Writes weights of a ResNet-18 that was never trained, for the transform `encoder`: of R3M's
// shape, where there are no published weights.
//
//   random_encoder FILE
#include <cstdio>

#include "absl/status/status.h"
#include "policy/checkpoint/safetensors.h"
#include "policy/nn/testing/random_resnet.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: random_encoder FILE\n", stderr);
    return 2;
  }
  const absl::Status written =
      hivewire::WriteSafetensors(argv[1], {hivewire::RandomResNet(18), {}});
  if (!written.ok()) {
    std::fprintf(stderr, "error: %s\n", written.ToString().c_str());
    return 1;
  }
}
