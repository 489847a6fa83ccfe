#include "policy/nn/actor_critic.h"

#include <ATen/ATen.h>

#include <utility>

#include "policy/nn/architecture.h"
#include "policy/nn/float_bytes.h"
#include "policy/nn/head_options.h"
#include "policy/nn/mlp.h"

namespace hivewire {
namespace {

class ActorCritic : public Model {
 public:
  // Without a trunk `trunk` is empty and actor and critic start at the observation.
  ActorCritic(PolicyColumns columns, Mlp trunk, bool has_trunk, Mlp actor, Mlp critic)
      : columns_(std::move(columns)),
        has_trunk_(has_trunk),
        trunk_(std::move(trunk)),
        actor_(std::move(actor)),
        critic_(std::move(critic)) {}

  Output Forward(const at::Tensor& observations, Passage& passage) const override {
    if (!has_trunk_) {
      return {ForwardPolicy(observations, passage), ForwardValue(observations, passage)};
    }
    const at::Tensor features = trunk_.Forward(observations);
    return {actor_.Forward(features), critic_.Forward(features).squeeze(1)};
  }

  at::Tensor ForwardPolicy(const at::Tensor& observations, Passage&) const override {
    return actor_.Forward(has_trunk_ ? trunk_.Forward(observations) : columns_.Of(observations));
  }

  at::Tensor ForwardValue(const at::Tensor& observations, Passage&) const override {
    return critic_.Forward(has_trunk_ ? trunk_.Forward(observations) : observations).squeeze(1);
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
    columns_.Widen(*policy.mutable_actor(0));
    return absl::OkStatus();
  }

 private:
  PolicyColumns columns_;
  bool has_trunk_;
  Mlp trunk_;
  Mlp actor_;
  Mlp critic_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeActorCritic(const v1::ModelConfig& given,
                                                       const ModelShape& shape,
                                                       at::Generator& generator) {
  v1::ModelConfig config = given;
  if (absl::Status status = ResolveArchitecture(config); !status.ok()) return status;
  absl::StatusOr<HeadOptions> heads = HeadOptions::Make(config, shape);
  if (!heads.ok()) return heads.status();

  Mlp::Options hidden = heads->dense;
  hidden.widths.assign(config.hidden().begin(), config.hidden().end());
  PolicyColumns columns(shape);
  Mlp trunk;
  Mlp::Options actor = heads->policy;
  Mlp::Options critic = heads->value;
  if (config.shared_trunk()) {
    hidden.widths.insert(hidden.widths.begin(), shape.observation_dim);
    trunk = Mlp(hidden, generator);
    actor.widths = {hidden.widths.back(), shape.policy_outputs};
    critic.widths = {hidden.widths.back(), 1};
  } else {
    actor.widths = critic.widths = hidden.widths;
    actor.widths.insert(actor.widths.begin(), columns.count());
    actor.widths.push_back(shape.policy_outputs);
    critic.widths.insert(critic.widths.begin(), shape.observation_dim);
    critic.widths.push_back(1);
  }
  Mlp actor_mlp(actor, generator);
  Mlp critic_mlp(critic, generator);
  return std::make_unique<ActorCritic>(std::move(columns), std::move(trunk), config.shared_trunk(),
                                       std::move(actor_mlp), std::move(critic_mlp));
}

}  // namespace hivewire
