#include "policy/nn/actor_critic.h"

#include <ATen/ATen.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/nn/architecture.h"
#include "policy/nn/head_options.h"
#include "policy/nn/mlp.h"
#include "policy/nn/recurrent_layer.h"
#include "policy/nn/vision.h"
#include "policy/portable/network.h"

namespace hivewire {
namespace {

// What a head stands on: what images go through, dense layers, then, of a model that remembers, a
// recurrent one. Without layers it shows what it is shown.
struct Body {
  Vision vision;
  Mlp dense;
  RecurrentLayer recurrent;

  at::Tensor Forward(const at::Tensor& observations, const Passage& passage,
                     at::Tensor& memory) const {
    const at::Tensor seen = vision.empty() ? observations : vision.Forward(observations);
    const at::Tensor features = dense.empty() ? seen : dense.Forward(seen);
    if (recurrent.memory_width() == 0) return features;
    return recurrent.Forward(features, passage.steps, passage.keep, memory);
  }

  void AppendParameters(const std::string& prefix, std::vector<NamedTensor>& out) const {
    vision.AppendParameters(prefix + ".vision", out);
    dense.AppendParameters(prefix, out);
    recurrent.AppendParameters(prefix + ".recurrent", out);
  }
};

class ActorCritic : public Model {
 public:
  // Without a body of its own (`shared`) the value stands on the policy's.
  ActorCritic(int64_t observation_dim, PolicyColumns columns, bool shared, Body policy_body,
              Body value_body, Mlp actor, Mlp critic)
      : observation_dim_(observation_dim),
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
    if (!policy_body_.vision.empty() || !value_body_.vision.empty()) {
      return absl::UnimplementedError(
          "model.convolution: a policy on the wire has dense layers alone; one that sees images "
          "acts in the learner only");
    }
    const NetworkLimits limits;
    if (observation_dim_ > limits.max_width) {
      return absl::UnimplementedError(absl::StrCat(
          "observations of ", observation_dim_, " elements: a policy on the wire takes at most ",
          limits.max_width, "; this one acts in the learner only"));
    }
    policy_body_.dense.AppendLayers(*policy.mutable_actor());
    if (policy_memory_width() > 0) {
      policy_body_.recurrent.Export(*policy.mutable_recurrent());
      actor_.AppendLayers(*policy.mutable_after_recurrent());
      columns_.Widen(*policy.mutable_actor(0));
      return absl::OkStatus();
    }
    actor_.AppendLayers(*policy.mutable_actor());
    (shared_ ? policy_body_ : value_body_).dense.AppendLayers(*policy.mutable_critic());
    critic_.AppendLayers(*policy.mutable_critic());
    columns_.Widen(*policy.mutable_actor(0));
    return absl::OkStatus();
  }

 private:
  int64_t observation_dim_;
  // Where there is vision, it sees to that itself.
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
  const bool shared = config.shared_trunk();
  Mlp::Options& actor = heads->policy;
  Mlp::Options& critic = heads->value;

  const absl::StatusOr<VisionOptions> vision = VisionOptions::Make(config.convolution(), shape);
  if (!vision.ok()) return vision.status();
  PolicyColumns columns(vision->empty() ? shape
                                        : ModelShape{.observation_dim = shape.observation_dim});
  Body policy_body, value_body;
  int64_t policy_inputs = columns.count(), value_inputs = shape.observation_dim;
  if (!vision->empty()) {
    policy_body.vision = Vision(*vision, shape.policy_columns, heads->dense, generator);
    policy_inputs = policy_body.vision.outputs();
    if (!shared) {
      value_body.vision = Vision(*vision, {}, heads->dense, generator);
      value_inputs = value_body.vision.outputs();
    }
  }
  if (shared || IsRecurrent(config)) {
    int64_t features = 0;
    const auto add_layers = [&](int64_t inputs, Body& body) {
      Mlp::Options dense = heads->dense;
      dense.widths = Widths(inputs, config);
      features = dense.widths.back();
      body.dense = Mlp(dense, generator);
      if (IsRecurrent(config)) {
        body.recurrent =
            RecurrentLayer(KindOf(config.type()), features, config.recurrent_width(), generator);
        features = config.recurrent_width();
      }
    };
    add_layers(policy_inputs, policy_body);
    if (!shared) add_layers(value_inputs, value_body);
    actor.widths = critic.widths = {features};
  } else {
    // Each is one perceptron from there on.
    actor.widths = Widths(policy_inputs, config);
    critic.widths = Widths(value_inputs, config);
  }
  actor.widths.push_back(shape.policy_outputs);
  critic.widths.push_back(1);
  Mlp actor_mlp(actor, generator);
  Mlp critic_mlp(critic, generator);
  return std::make_unique<ActorCritic>(shape.observation_dim, std::move(columns), shared,
                                       std::move(policy_body), std::move(value_body),
                                       std::move(actor_mlp), std::move(critic_mlp));
}

}  // namespace hivewire
