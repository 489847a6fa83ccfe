#include "policy/nn/actor_critic.h"

#include <ATen/ATen.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/nn/architecture.h"
#include "policy/nn/head_options.h"
#include "policy/nn/mlp.h"
#include "policy/nn/recurrent_layer.h"

namespace hivewire {
namespace {

// What a head stands on: dense layers, then, of a model that remembers, a recurrent one. Without
// layers it shows what it is shown.
struct Body {
  Mlp dense;
  RecurrentLayer recurrent;

  at::Tensor Forward(const at::Tensor& observations, const Passage& passage,
                     at::Tensor& memory) const {
    const at::Tensor features = dense.empty() ? observations : dense.Forward(observations);
    if (recurrent.memory_width() == 0) return features;
    return recurrent.Forward(features, passage.steps, passage.keep, memory);
  }

  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
    dense.AppendParameters(prefix, out);
    recurrent.AppendParameters(prefix + ".recurrent", out);
  }
};

class ActorCritic : public Model {
 public:
  // Without a body of its own (`shared`) the value stands on the policy's.
  ActorCritic(std::string type, PolicyColumns columns, bool shared, Body policy_body,
              Body value_body, Mlp actor, Mlp critic)
      : type_(std::move(type)),
        columns_(std::move(columns)),
        shared_(shared),
        policy_body_(std::move(policy_body)),
        value_body_(std::move(value_body)),
        actor_(std::move(actor)),
        critic_(std::move(critic)) {}

  int64_t policy_memory_width() const override { return policy_body_.recurrent.memory_width(); }
  int64_t value_memory_width() const override {
    return shared_ ? 0 : value_body_.recurrent.memory_width();
  }

  Output Forward(const at::Tensor& observations, Passage& passage) const override {
    if (!shared_) {
      return {ForwardPolicy(observations, passage), ForwardValue(observations, passage)};
    }
    const at::Tensor features = policy_body_.Forward(observations, passage, passage.policy_memory);
    return {actor_.Forward(features), critic_.Forward(features).squeeze(1)};
  }

  at::Tensor ForwardPolicy(const at::Tensor& observations, Passage& passage) const override {
    return actor_.Forward(
        policy_body_.Forward(columns_.Of(observations), passage, passage.policy_memory));
  }

  at::Tensor ForwardValue(const at::Tensor& observations, Passage& passage) const override {
    if (!shared_) {
      return critic_.Forward(value_body_.Forward(observations, passage, passage.value_memory))
          .squeeze(1);
    }
    at::Tensor memory = passage.policy_memory;
    return critic_.Forward(policy_body_.Forward(observations, passage, memory)).squeeze(1);
  }

  bool shares_parameters() const override { return shared_; }

  std::vector<NamedTensor> Parameters() const override {
    std::vector<NamedTensor> parameters;
    policy_body_.AppendParameters(shared_ ? "trunk" : "actor_body", parameters);
    if (!shared_) value_body_.AppendParameters("critic_body", parameters);
    actor_.AppendParameters("actor", parameters);
    critic_.AppendParameters("critic", parameters);
    return parameters;
  }

  absl::Status Export(v1::Policy& policy) const override {
    if (policy_memory_width() > 0) {
      return absl::UnimplementedError(absl::StrCat(
          "model.type \"", type_,
          "\" remembers, which a policy on the wire cannot; it acts in the learner only"));
    }
    policy_body_.dense.AppendLayers(*policy.mutable_actor());
    actor_.AppendLayers(*policy.mutable_actor());
    (shared_ ? policy_body_ : value_body_).dense.AppendLayers(*policy.mutable_critic());
    critic_.AppendLayers(*policy.mutable_critic());
    columns_.Widen(*policy.mutable_actor(0));
    return absl::OkStatus();
  }

 private:
  std::string type_;
  PolicyColumns columns_;
  bool shared_;
  Body policy_body_;
  Body value_body_;
  Mlp actor_;
  Mlp critic_;
};

CellKind KindOf(const std::string& type) {
  return type == "lstm" ? CellKind::kLstm : type == "gru" ? CellKind::kGru : CellKind::kRnn;
}

std::vector<int64_t> Widths(int64_t inputs, const v1::ModelConfig& config) {
  std::vector<int64_t> widths = {inputs};
  widths.insert(widths.end(), config.hidden().begin(), config.hidden().end());
  return widths;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeActorCritic(const v1::ModelConfig& given,
                                                       const ModelShape& shape,
                                                       at::Generator& generator) {
  v1::ModelConfig config = given;
  if (absl::Status status = ResolveArchitecture(config); !status.ok()) return status;
  absl::StatusOr<HeadOptions> heads = HeadOptions::Make(config, shape);
  if (!heads.ok()) return heads.status();
  PolicyColumns columns(shape);
  const bool shared = config.shared_trunk();
  Mlp::Options& actor = heads->policy;
  Mlp::Options& critic = heads->value;

  Body policy_body, value_body;
  if (shared || IsRecurrent(config)) {
    int64_t features = 0;
    const auto make_body = [&](int64_t inputs) {
      Body body;
      Mlp::Options dense = heads->dense;
      dense.widths = Widths(inputs, config);
      features = dense.widths.back();
      body.dense = Mlp(dense, generator);
      if (IsRecurrent(config)) {
        body.recurrent =
            RecurrentLayer(KindOf(config.type()), features, config.recurrent_width(), generator);
        features = config.recurrent_width();
      }
      return body;
    };
    policy_body = make_body(columns.count());
    if (!shared) value_body = make_body(shape.observation_dim);
    actor.widths = critic.widths = {features};
  } else {
    // Each is one perceptron from the observation on.
    actor.widths = Widths(columns.count(), config);
    critic.widths = Widths(shape.observation_dim, config);
  }
  actor.widths.push_back(shape.policy_outputs);
  critic.widths.push_back(1);
  Mlp actor_mlp(actor, generator);
  Mlp critic_mlp(critic, generator);
  return std::make_unique<ActorCritic>(config.type(), std::move(columns), shared,
                                       std::move(policy_body), std::move(value_body),
                                       std::move(actor_mlp), std::move(critic_mlp));
}

}  // namespace hivewire
