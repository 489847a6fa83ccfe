// Transforms of which leaves there are, and of what dtype.
#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "policy/transforms/transforms.h"

namespace hivewire {
namespace {

// The chosen leaves, joined into one in their order; the others go.
class Concatenate : public Transform {
 public:
  explicit Concatenate(std::vector<size_t> chosen) : chosen_(std::move(chosen)) {}

  void Apply(const TransformRows& rows, std::vector<at::Tensor>& leaves) override {
    std::vector<at::Tensor> parts;
    for (const size_t k : chosen_) {
      parts.push_back(
          leaves[k].reshape({static_cast<int64_t>(rows.lanes.size()), -1}).to(at::kFloat));
    }
    leaves = {at::cat(parts, 1)};
  }

 private:
  const std::vector<size_t> chosen_;
};

class DoubleToFloat : public Transform {
 public:
  explicit DoubleToFloat(std::vector<size_t> chosen) : chosen_(std::move(chosen)) {}

  void Apply(const TransformRows&, std::vector<at::Tensor>& leaves) override {
    for (const size_t k : chosen_) leaves[k] = leaves[k].to(at::kFloat);
  }

 private:
  const std::vector<size_t> chosen_;
};

int64_t Elements(const LeafShape& leaf) {
  return std::accumulate(leaf.shape.begin(), leaf.shape.end(), int64_t{1}, std::multiplies<>());
}

}  // namespace

MadeTransform MakeConcatenate(const v1::TransformConfig& config, int,
                              std::vector<LeafShape>& leaves) {
  auto chosen = ChosenLeaves(config, leaves, "any leaf", [](const LeafShape&) { return true; });
  if (!chosen.ok()) return chosen.status();
  LeafShape joined = {"observation_vector", at::kFloat, {0}};
  for (const size_t k : *chosen) joined.shape[0] += Elements(leaves[k]);
  leaves = {std::move(joined)};
  return std::make_unique<Concatenate>(*std::move(chosen));
}

MadeTransform MakeDoubleToFloat(const v1::TransformConfig& config, int,
                                std::vector<LeafShape>& leaves) {
  // Where all are float32 already, as env servers are asked for, there is nothing to do.
  const auto fits = [](const LeafShape& leaf) {
    return leaf.dtype == at::kDouble || leaf.dtype == at::kFloat;
  };
  auto chosen = ChosenLeaves(config, leaves, "float64 leaves", fits);
  if (!chosen.ok()) return chosen.status();
  for (const size_t k : *chosen) leaves[k].dtype = at::kFloat;
  return std::make_unique<DoubleToFloat>(*std::move(chosen));
}

}  // namespace hivewire
