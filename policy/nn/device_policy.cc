#include "policy/nn/device_policy.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gru_cell.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm_cell.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rnn_tanh_cell.h>
#include <ATen/ops/tanh.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "policy/nn/device.h"
#include "policy/nn/guard_torch.h"

namespace hivewire {
namespace {

at::Tensor Floats(const std::string& bytes, at::IntArrayRef shape, at::Device device) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), bytes.data(), bytes.size());
  return tensor.to(device);
}

at::Tensor Activated(const at::Tensor& x, v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_TANH:
      return at::tanh(x);
    case v1::ACTIVATION_RELU:
      return at::relu(x);
    case v1::ACTIVATION_ELU:
      return at::elu(x);
    default:
      return x;
  }
}

class DevicePolicy : public ActingPolicy {
 public:
  // `policy` is checked: `portable` was made of it.
  DevicePolicy(const v1::Policy& policy, std::shared_ptr<const PortablePolicy> portable,
               at::Device device)
      : portable_(std::move(portable)), device_(device) {
    const v1::Normalizer& normalizer = policy.observation_normalizer();
    for (int i = 0; i < normalizer.mean_size(); ++i) {
      const double scale = 1 / std::sqrt(normalizer.variance(i) + normalizer.epsilon());
      shift_.push_back(static_cast<float>(normalizer.mean(i)));
      scale_.push_back(static_cast<float>(scale));
    }
    if (normalizer.clip() > 0) clip_ = normalizer.clip();
    const auto dim = static_cast<int64_t>(shift_.size());
    shift_on_device_ = at::from_blob(shift_.data(), {dim}, at::kFloat).to(device);
    scale_on_device_ = at::from_blob(scale_.data(), {dim}, at::kFloat).to(device);
    for (const v1::DenseLayer& layer : policy.actor()) {
      layers_.push_back(On(device, layer));
    }
    if (!policy.has_recurrent()) return;
    const v1::RecurrentLayer& cell = policy.recurrent();
    const auto gates = static_cast<int64_t>(cell.bias_ih().size() / sizeof(float));
    cell_ = cell.cell();
    weight_ih_ = Floats(cell.weight_ih(), {gates, cell.inputs()}, device);
    weight_hh_ = Floats(cell.weight_hh(), {gates, cell.width()}, device);
    bias_ih_ = Floats(cell.bias_ih(), {gates}, device);
    bias_hh_ = Floats(cell.bias_hh(), {gates}, device);
    for (const v1::DenseLayer& layer : policy.after_recurrent()) {
      after_recurrent_.push_back(On(device, layer));
    }
  }

  const PortablePolicy& portable() const override { return *portable_; }

  absl::Status Act(absl::Span<const Draw> draws, PolicyScratch& scratch) const override {
    return GuardTorch("evaluating the policy", [&] {
      const c10::NoGradGuard no_grad;
      const auto rows = static_cast<int64_t>(draws.size());
      const auto dim = static_cast<int64_t>(portable_->observation_dim());
      const at::Tensor observations = Staging(received_, rows, dim);
      std::memcpy(observations.data_ptr<float>(), scratch.observations.data(),
                  observations.nbytes());
      at::Tensor x = observations.to(device_, at::kFloat, /*non_blocking=*/true, /*copy=*/true);
      if (!shift_.empty()) {
        x = x.sub(shift_on_device_).mul_(scale_on_device_).clamp_(-clip_, clip_);
      }
      x = Through(layers_, x);
      if (portable_->memory_width() > 0) {
        x = Through(after_recurrent_, Remember(x, scratch));
      }
      const at::Tensor outputs = Staging(sent_, rows, x.size(1));
      outputs.copy_(x, /*non_blocking=*/true);
      if (!device_.is_cpu()) {
        c10::impl::VirtualGuardImpl(device_.type()).getStream(device_).synchronize();
      }
      portable_->Choose(draws, /*deterministic=*/false, outputs.const_data_ptr<float>(),
                        static_cast<size_t>(outputs.size(1)), scratch);
    });
  }

 private:
  struct Layer {
    at::Tensor weight;
    at::Tensor bias;
    v1::Activation activation;
  };

  static Layer On(at::Device device, const v1::DenseLayer& layer) {
    return {Floats(layer.weight(), {layer.outputs(), layer.inputs()}, device),
            Floats(layer.bias(), {layer.outputs()}, device), layer.activation()};
  }

  static at::Tensor Through(const std::vector<Layer>& layers, at::Tensor x) {
    for (const Layer& layer : layers) {
      x = Activated(at::linear(x, layer.weight, layer.bias), layer.activation);
    }
    return x;
  }

  // A step of the recurrent layer, by what `scratch` remembers, and its outputs.
  at::Tensor Remember(const at::Tensor& x, PolicyScratch& scratch) const {
    const auto width = static_cast<int64_t>(portable_->memory_width());
    at::Tensor before = Staging(memory_, x.size(0), width);
    std::memcpy(before.data_ptr<float>(), scratch.memory.data(), before.nbytes());
    before = before.to(device_);
    at::Tensor output, after;
    if (cell_ == v1::RecurrentLayer::CELL_LSTM) {
      const at::Tensor parts[] = {before.narrow(1, 0, width / 2),
                                  before.narrow(1, width / 2, width / 2)};
      at::Tensor cells;
      std::tie(output, cells) = at::lstm_cell(x, parts, weight_ih_, weight_hh_, bias_ih_, bias_hh_);
      after = at::cat({output, cells}, 1);
    } else {
      const auto cell = cell_ == v1::RecurrentLayer::CELL_GRU ? at::gru_cell : at::rnn_tanh_cell;
      after = output = cell(x, before, weight_ih_, weight_hh_, bias_ih_, bias_hh_);
    }
    after = after.cpu().contiguous();
    std::memcpy(scratch.memory.data(), after.const_data_ptr<float>(), after.nbytes());
    return output;
  }

  // The first `rows` rows of `buffer`, which grows, in memory that the device reaches by itself.
  at::Tensor Staging(at::Tensor& buffer, int64_t rows, int64_t width) const {
    if (!buffer.defined() || buffer.size(0) < rows) {
      buffer =
          at::empty({rows, width}, at::TensorOptions(at::kFloat).pinned_memory(!device_.is_cpu()));
    }
    return buffer.narrow(0, 0, rows);
  }

  const std::shared_ptr<const PortablePolicy> portable_;
  const at::Device device_;
  std::vector<float> shift_, scale_;
  double clip_ = std::numeric_limits<float>::max();
  at::Tensor shift_on_device_, scale_on_device_;
  std::vector<Layer> layers_;
  // Where it remembers.
  v1::RecurrentLayer::Cell cell_ = v1::RecurrentLayer::CELL_UNSPECIFIED;
  at::Tensor weight_ih_, weight_hh_, bias_ih_, bias_hh_;
  std::vector<Layer> after_recurrent_;
  mutable at::Tensor received_, sent_, memory_;
};

}  // namespace

absl::StatusOr<PolicyMaker> MakeDevicePolicies(const std::string& name) {
  const absl::StatusOr<c10::Device> device = OpenDevice(name);
  if (!device.ok()) return device.status();
  UseThreads(1);
  return [device = *device](
             const v1::Policy& policy) -> absl::StatusOr<std::shared_ptr<const ActingPolicy>> {
    auto portable = PortablePolicy::Create(policy, {.may_remember = true});
    if (!portable.ok()) return portable.status();
    return GuardTorch("moving the policy to its device",
                      [&]() -> absl::StatusOr<std::shared_ptr<const ActingPolicy>> {
                        return std::make_shared<DevicePolicy>(policy, *std::move(portable), device);
                      });
  };
}

}  // namespace hivewire
