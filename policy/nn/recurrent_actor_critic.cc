#include "policy/nn/recurrent_actor_critic.h"

#include <ATen/ATen.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/nn/architecture.h"
#include "policy/nn/head_options.h"
#include "policy/nn/mlp.h"
#include "policy/nn/recurrent_layer.h"

namespace hivewire {
namespace {

// Dense layers and the recurrent one.
struct Body {
  Mlp dense;
  RecurrentLayer recurrent;

  at::Tensor Forward(const at::Tensor& observations, const Passage& passage,
                     at::Tensor& memory) const {
    return recurrent.Forward(dense.Forward(observations), passage.steps, passage.keep, memory);
  }

  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
    dense.AppendParameters(prefix, out);
    recurrent.AppendParameters(prefix + ".recurrent", out);
  }
};

class RecurrentActorCritic : public Model {
 public:
  // Without a body of its own (`shared`) the value stands on the policy's.
  RecurrentActorCritic(std::string type, PolicyColumns columns, bool shared, Body policy_body,
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

  absl::Status Export(v1::Policy&) const override {
    return absl::UnimplementedError(absl::StrCat(
        "model.type \"", type_,
        "\" remembers, which a policy on the wire cannot; it acts in the learner only"));
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

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeRecurrentActorCritic(const v1::ModelConfig& given,
                                                                const ModelShape& shape,
                                                                at::Generator& generator) {
  v1::ModelConfig config = given;
  if (absl::Status status = ResolveArchitecture(config); !status.ok()) return status;
  absl::StatusOr<HeadOptions> heads = HeadOptions::Make(config, shape);
  if (!heads.ok()) return heads.status();
  PolicyColumns columns(shape);

  const auto make_body = [&](int64_t inputs) {
    Mlp::Options dense = heads->dense;
    dense.widths.assign(config.hidden().begin(), config.hidden().end());
    dense.widths.insert(dense.widths.begin(), inputs);
    Body body;
    body.dense = Mlp(dense, generator);
    body.recurrent = RecurrentLayer(KindOf(config.type()), dense.widths.back(),
                                    config.recurrent_width(), generator);
    return body;
  };
  const bool shared = config.shared_trunk();
  Body policy_body = make_body(columns.count());
  Body value_body = shared ? Body() : make_body(shape.observation_dim);
  heads->policy.widths = {config.recurrent_width(), shape.policy_outputs};
  heads->value.widths = {config.recurrent_width(), 1};
  Mlp actor(heads->policy, generator);
  Mlp critic(heads->value, generator);
  return std::make_unique<RecurrentActorCritic>(config.type(), std::move(columns), shared,
                                                std::move(policy_body), std::move(value_body),
                                                std::move(actor), std::move(critic));
}

}  // namespace hivewire
