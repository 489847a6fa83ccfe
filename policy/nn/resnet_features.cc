// resnet_features WEIGHTS IMAGES SIZE: writes the features of float32 images (N, 3, SIZE, SIZE) in
// a raw file to standard output, float32.
#include <ATen/ATen.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "policy/checkpoint/safetensors.h"
#include "policy/nn/resnet.h"

namespace hivewire {
namespace {

int Main(const std::string& weights, const std::string& path, int64_t size) {
  const auto file = ReadSafetensors(weights);
  const auto network = file.ok() ? ResNet::Make(file->tensors) : file.status();
  if (!network.ok()) {
    std::fprintf(stderr, "%s\n", network.status().ToString().c_str());
    return 1;
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  const auto images = at::from_blob(
      bytes.data(),
      {static_cast<int64_t>(bytes.size() / sizeof(float)) / (3 * size * size), 3, size, size},
      at::kFloat);
  const at::Tensor features = network->Forward(images).contiguous();
  const size_t count = static_cast<size_t>(features.numel());
  return std::fwrite(features.data_ptr<float>(), sizeof(float), count, stdout) == count ? 0 : 1;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  return argc == 4 ? hivewire::Main(argv[1], argv[2], std::atoi(argv[3])) : 2;
}
