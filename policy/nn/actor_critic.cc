#include "policy/nn/actor_critic.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/nn/mlp.h"

namespace hivewire {
namespace {

class ActorCritic : public Model {
 public:
  // Without a trunk `trunk` is empty and actor and critic start at the observation.
  ActorCritic(Mlp trunk, bool has_trunk, Mlp actor, Mlp critic)
      : has_trunk_(has_trunk),
        trunk_(std::move(trunk)),
        actor_(std::move(actor)),
        critic_(std::move(critic)) {}

  Output Forward(const at::Tensor& observations) const override {
    const at::Tensor features = Features(observations);
    return {actor_.Forward(features), critic_.Forward(features).squeeze(1)};
  }

  at::Tensor ForwardPolicy(const at::Tensor& observations) const override {
    return actor_.Forward(Features(observations));
  }

  at::Tensor ForwardValue(const at::Tensor& observations) const override {
    return critic_.Forward(Features(observations)).squeeze(1);
  }

  bool shares_parameters() const override { return has_trunk_; }

  std::vector<NamedTensor> Parameters() const override {
    std::vector<NamedTensor> parameters;
    trunk_.AppendParameters("trunk", parameters);
    actor_.AppendParameters("actor", parameters);
    critic_.AppendParameters("critic", parameters);
    return parameters;
  }

  absl::Status Export(v1::Policy& policy) const override {
    trunk_.AppendLayers(*policy.mutable_actor());
    actor_.AppendLayers(*policy.mutable_actor());
    trunk_.AppendLayers(*policy.mutable_critic());
    critic_.AppendLayers(*policy.mutable_critic());
    return absl::OkStatus();
  }

 private:
  at::Tensor Features(const at::Tensor& observations) const {
    return has_trunk_ ? trunk_.Forward(observations) : observations;
  }

  bool has_trunk_;
  Mlp trunk_;
  Mlp actor_;
  Mlp critic_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeActorCritic(const v1::ModelConfig& config,
                                                       const ModelShape& shape,
                                                       at::Generator& generator) {
  absl::StatusOr<ActivationKind> activation = ParseActivation(config.activation());
  if (!activation.ok()) return activation.status();
  std::vector<int64_t> hidden(config.hidden().begin(), config.hidden().end());
  if (hidden.empty()) hidden = {64, 64};
  for (const int64_t width : hidden) {
    if (width < 1 || width > 65536) {
      return absl::InvalidArgumentError(
          absl::StrCat("model.hidden has ", width, "; a layer is 1 … 65536 wide"));
    }
  }

  Mlp::Options options = {.widths = {shape.observation_dim},
                          .activation = *activation,
                          .hidden_gain = config.hidden_gain()};
  Mlp trunk;
  if (config.shared_trunk()) {
    options.widths.insert(options.widths.end(), hidden.begin(), hidden.end());
    options.activate_output = true;
    options.output_gain = config.hidden_gain();
    trunk = Mlp(options, generator);
    options.widths = {hidden.back()};
    options.activate_output = false;
  } else {
    options.widths.insert(options.widths.end(), hidden.begin(), hidden.end());
  }
  options.widths.push_back(shape.policy_outputs);
  options.output_gain = config.policy_gain();
  Mlp actor(options, generator);
  options.widths.back() = 1;
  options.output_gain = config.value_gain();
  Mlp critic(options, generator);
  return std::make_unique<ActorCritic>(std::move(trunk), config.shared_trunk(), std::move(actor),
                                       std::move(critic));
}

}  // namespace hivewire
