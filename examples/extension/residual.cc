#include "residual.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace extension {
namespace {

using hivewire::NamedTensor;

class Tower {
 public:
  Tower(int64_t inputs, int64_t width, int blocks, int64_t outputs, double output_gain,
        at::Generator& generator) {
    Add("in", inputs, width, 1, generator);
    for (int i = 0; i < blocks; ++i) {
      Add("block" + std::to_string(i) + ".0", width, width, 1, generator);
      Add("block" + std::to_string(i) + ".1", width, width, 0.1, generator);
    }
    Add("out", width, outputs, output_gain, generator);
  }

  at::Tensor Forward(at::Tensor x) const {
    x = Layer(0, x);
    for (size_t i = 1; i + 1 < layers_.size(); i += 2) {
      x = x + Layer(i + 1, at::relu(Layer(i, x)));
    }
    return Layer(layers_.size() - 1, at::relu(x));
  }

  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& parameters) const {
    for (size_t i = 0; i < layers_.size(); ++i) {
      parameters.push_back({prefix + "." + names_[i] + ".weight", layers_[i].first});
      parameters.push_back({prefix + "." + names_[i] + ".bias", layers_[i].second});
    }
  }

 private:
  void Add(const std::string& name, int64_t inputs, int64_t outputs, double gain,
           at::Generator& generator) {
    const double deviation = gain / std::sqrt(static_cast<double>(inputs));
    names_.push_back(name);
    layers_.emplace_back(at::empty({outputs, inputs}, at::kFloat).normal_(0, deviation, generator),
                         at::zeros({outputs}, at::kFloat));
    layers_.back().first.set_requires_grad(true);
    layers_.back().second.set_requires_grad(true);
  }

  at::Tensor Layer(size_t i, const at::Tensor& x) const {
    return at::linear(x, layers_[i].first, layers_[i].second);
  }

  std::vector<std::string> names_;
  std::vector<std::pair<at::Tensor, at::Tensor>> layers_;  // weights and biases
};

class Residual : public hivewire::Model {
 public:
  Residual(Tower policy, Tower value) : policy_(std::move(policy)), value_(std::move(value)) {}

  Output Forward(const at::Tensor& observations, hivewire::Passage& passage) const override {
    return {ForwardPolicy(observations, passage), ForwardValue(observations, passage)};
  }
  at::Tensor ForwardPolicy(const at::Tensor& observations, hivewire::Passage&) const override {
    return policy_.Forward(observations);
  }
  at::Tensor ForwardValue(const at::Tensor& observations, hivewire::Passage&) const override {
    return value_.Forward(observations).squeeze(1);
  }
  bool shares_parameters() const override { return false; }

  std::vector<NamedTensor> Parameters() const override {
    std::vector<NamedTensor> parameters;
    policy_.AppendParameters("policy", parameters);
    value_.AppendParameters("value", parameters);
    return parameters;
  }

  absl::Status Export(hivewire::v1::Policy&) const override {
    return absl::UnimplementedError("model.type \"residual\" cannot act elsewhere");
  }

 private:
  Tower policy_;
  Tower value_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<hivewire::Model>> MakeResidual(
    const hivewire::v1::ModelConfig& config, const hivewire::ModelShape& shape,
    at::Generator& generator) {
  if (!shape.policy_columns.empty()) {
    return absl::InvalidArgumentError(
        "model.critic_only_leaves: policy and critic of \"residual\" see the same");
  }
  if (config.hidden().empty() || config.hidden(0) < 1) {
    return absl::InvalidArgumentError("model.hidden: name one width a block, [64,64] say");
  }
  const int64_t inputs = shape.observation_dim;
  Tower policy(inputs, config.hidden(0), config.hidden_size(), shape.policy_outputs,
               config.policy_gain(), generator);
  Tower value(inputs, config.hidden(0), config.hidden_size(), 1, config.value_gain(), generator);
  return std::make_unique<Residual>(std::move(policy), std::move(value));
}

}  // namespace extension
