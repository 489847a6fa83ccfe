#include "policy/nn/head_options.h"

#include <ATen/ATen.h>

#include <cstring>
#include <string>

#include "policy/nn/named.h"

namespace hivewire {

absl::StatusOr<HeadOptions> HeadOptions::Make(const v1::ModelConfig& config,
                                              const ModelShape& shape) {
  const absl::StatusOr<ActivationKind> activation = ParseActivation(config.activation());
  if (!activation.ok()) return activation.status();
  absl::Status status =
      CheckName("model.policy_activation", config.policy_activation(), {"none", "tanh"});
  if (status.ok()) {
    status = CheckName("model.initialization", config.initialization(), {"orthogonal", "uniform"});
  }
  if (status.ok() && config.shared_trunk() && !shape.policy_columns.empty()) {
    status = absl::InvalidArgumentError(
        "model.shared_trunk is true, but model.critic_only_leaves keeps leaves from the policy; a "
        "trunk sees what both see");
  }
  if (!status.ok()) return status;

  HeadOptions options;
  options.dense = {.widths = {},
                   .activation = *activation,
                   .output_activation = *activation,
                   .hidden_gain = config.hidden_gain(),
                   .output_gain = config.hidden_gain(),
                   .uniform = config.initialization() == "uniform"};
  options.policy = options.value = options.dense;
  const bool tanh = config.policy_activation() == "tanh";
  options.policy.output_activation = tanh ? ActivationKind::kTanh : ActivationKind::kNone;
  options.policy.output_gain = config.policy_gain();
  options.policy.output_bias = shape.policy_bias;
  options.value.output_activation = ActivationKind::kNone;
  options.value.output_gain = config.value_gain();
  return options;
}

PolicyColumns::PolicyColumns(const ModelShape& shape)
    : observation_dim_(shape.observation_dim), count_(shape.observation_dim) {
  if (shape.policy_columns.empty()) return;
  columns_ = at::tensor(shape.policy_columns);
  count_ = columns_.numel();
}

at::Tensor PolicyColumns::Of(const at::Tensor& observations) const {
  if (!columns_.defined()) return observations;
  return observations.index_select(1, columns_.to(observations.device()));
}

void PolicyColumns::Widen(v1::DenseLayer& layer) const {
  if (!columns_.defined()) return;
  const size_t all = static_cast<size_t>(observation_dim_) * sizeof(float);
  const size_t seen = static_cast<size_t>(count_) * sizeof(float);
  std::string weight(layer.outputs() * all, '\0');
  const int64_t* columns = columns_.const_data_ptr<int64_t>();
  for (size_t row = 0; row < layer.outputs(); ++row) {
    for (int64_t k = 0; k < count_; ++k) {
      std::memcpy(&weight[row * all + static_cast<size_t>(columns[k]) * sizeof(float)],
                  &layer.weight()[row * seen + static_cast<size_t>(k) * sizeof(float)],
                  sizeof(float));
    }
  }
  layer.set_weight(std::move(weight));
  layer.set_inputs(static_cast<uint32_t>(observation_dim_));
}

}  // namespace hivewire
