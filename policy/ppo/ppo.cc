#include "policy/ppo/ppo.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/nn/adam.h"
#include "policy/nn/companion.h"
#include "policy/nn/device.h"
#include "policy/nn/distribution.h"
#include "policy/nn/flat_parameters.h"
#include "policy/nn/guard_torch.h"
#include "policy/nn/model.h"
#include "policy/ppo/loss.h"
#include "policy/ppo/rollout.h"

namespace hivewire {
namespace {

// A view; at::from_blob takes no const, nothing here writes through it.
at::Tensor View(absl::Span<const float> values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

absl::Span<const float> Host(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

// The tensor itself where it is there already.
at::Tensor OnHost(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.is_contiguous() ? tensor
                                                            : tensor.detach().cpu().contiguous();
}

absl::Status CheckConfig(const v1::PpoConfig& config) {
  const auto check = [](bool good, absl::string_view field, auto value,
                        absl::string_view accepted) -> absl::Status {
    if (good) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("ppo.", field, " is ", value, "; it can be ", accepted));
  };
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  for (const absl::Status& status : {
           check(config.rollout_steps() >= 1, "rollout_steps", config.rollout_steps(), "1 or more"),
           check(config.epochs() >= 1, "epochs", config.epochs(), "1 or more"),
           check(config.minibatch_size() >= 2, "minibatch_size", config.minibatch_size(),
                 "2 or more"),
           check(config.learning_rate() > 0 && std::isfinite(config.learning_rate()),
                 "learning_rate", config.learning_rate(), "any positive number"),
           check(config.learning_rate_schedule() == "linear" ||
                     config.learning_rate_schedule() == "constant",
                 "learning_rate_schedule", config.learning_rate_schedule(), "linear or constant"),
           check(share(config.gamma()), "gamma", config.gamma(), "0 … 1"),
           check(share(config.gae_lambda()), "gae_lambda", config.gae_lambda(), "0 … 1"),
           check(config.clip() > 0, "clip", config.clip(), "any positive number"),
           check(config.max_grad_norm() >= 0, "max_grad_norm", config.max_grad_norm(),
                 "0 (no limit) or more"),
           check(config.target_kl() >= 0, "target_kl", config.target_kl(), "0 (never) or more"),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

class Ppo : public Algorithm {
 public:
  // On the CPU with two threads or more, policy and value are learned beside each other.
  Ppo(const v1::PpoConfig& config, const Problem& problem, at::Device device, int threads,
      at::Generator generator, std::unique_ptr<Model> model,
      std::unique_ptr<Distribution> distribution)
      : config_(config),
        problem_(problem),
        device_(device),
        generator_(std::move(generator)),
        model_(std::move(model)),
        distribution_(std::move(distribution)),
        parameters_(AllParameters(*model_, *distribution_), device),
        adam_(parameters_, config.adam_epsilon()),
        rollout_(config.rollout_steps(), problem.num_lanes, problem.observation_dim,
                 static_cast<int>(problem.action.dim())) {
    if (device.is_cpu() && threads > 1) companion_ = std::make_unique<Companion>();
  }

  absl::Status Act(LaneRange lanes, absl::Span<const float> observations,
                   absl::Span<char> actions) override {
    if (!rollout_.CanStep(lanes)) {
      return absl::FailedPreconditionError("Act for lanes that are not at the same step");
    }
    if (rollout_.has_likelihoods()) {
      return absl::FailedPreconditionError("Act after TakeChoices, before an Update");
    }
    return GuardTorch("choosing actions", [&] {
      const c10::NoGradGuard no_grad;
      const at::Tensor inputs = model_->ForwardPolicy(ToDevice(observations));
      const at::Tensor chosen = distribution_->Sample(inputs, generator_).cpu().contiguous();
      WriteActions(chosen, actions);
      const at::Tensor kept = chosen.to(at::kFloat);
      rollout_.PutActions(lanes, observations, Host(kept));
    });
  }

  absl::StatusOr<v1::Policy> Export() const override {
    return GuardTorch("exporting the policy", [&]() -> absl::StatusOr<v1::Policy> {
      v1::Policy policy;
      absl::Status status = model_->Export(policy);
      if (status.ok()) status = distribution_->Export(*policy.mutable_head());
      if (!status.ok()) return status;
      return policy;
    });
  }

  absl::Status TakeChoices(LaneRange lanes, const Choices& choices) override {
    if (!rollout_.CanStep(lanes) || (rollout_.steps() > 0 && !rollout_.has_likelihoods())) {
      return absl::FailedPreconditionError(
          "TakeChoices for lanes that are not at the same step, or after Act");
    }
    read_actions_.resize(static_cast<size_t>(lanes.count * problem_.action.dim()));
    absl::Status status = problem_.action.Read(choices.actions, absl::MakeSpan(read_actions_));
    if (!status.ok()) return status;
    rollout_.PutActions(lanes, choices.observations, read_actions_);
    rollout_.PutLikelihoods(lanes, choices.log_probs, choices.values);
    return absl::OkStatus();
  }

  absl::Status Record(LaneRange lanes, const Transitions& transitions) override {
    rollout_.PutTransitions(lanes, transitions);
    return absl::OkStatus();
  }

  int StepsUntilUpdate() const override { return rollout_.StepsLeft(); }

  absl::StatusOr<std::vector<Statistic>> Update(double progress) override {
    return GuardTorch("updating",
                      [&]() -> absl::StatusOr<std::vector<Statistic>> { return Learn(progress); });
  }

  absl::Status ActGreedily(absl::Span<const float> observations,
                           absl::Span<char> actions) const override {
    return GuardTorch("choosing actions", [&] {
      const c10::NoGradGuard no_grad;
      const at::Tensor inputs = model_->ForwardPolicy(ToDevice(observations));
      WriteActions(distribution_->Mode(inputs).cpu().contiguous(), actions);
    });
  }

  absl::Status Save(TensorMap& tensors) const override {
    return GuardTorch("saving", [&] {
      parameters_.Save("model", parameters_.values(), tensors);
      adam_.Save("adam", tensors);
      const at::Tensor state = generator_.get_state();
      tensors.PutBytes("generator", {reinterpret_cast<const char*>(state.data_ptr<uint8_t>()),
                                     static_cast<size_t>(state.numel())});
    });
  }

  absl::Status Load(const TensorMap& tensors) override {
    return GuardTorch("tensor \"generator\"", [&] {
      absl::Status status = parameters_.Load("model", tensors, parameters_.values());
      if (status.ok()) status = adam_.Load("adam", tensors);
      if (!status.ok()) return status;
      absl::StatusOr<std::string> bytes = tensors.GetBytes("generator");
      if (!bytes.ok()) return bytes.status();
      at::Tensor state = at::empty({static_cast<int64_t>(bytes->size())}, at::kByte);
      std::memcpy(state.data_ptr<uint8_t>(), bytes->data(), bytes->size());
      generator_.set_state(state);
      return absl::OkStatus();
    });
  }

 private:
  // A rollout on the device, one row a valid step.
  struct Samples {
    at::Tensor observations;
    at::Tensor actions;
    at::Tensor log_probs;
    at::Tensor values;
    at::Tensor advantages;
    at::Tensor returns;

    Samples Rows(const at::Tensor& indices) const {
      const at::Tensor on_device = indices.to(observations.device());
      return {observations.index_select(0, on_device), actions.index_select(0, on_device),
              log_probs.index_select(0, indices),      values.index_select(0, indices),
              advantages.index_select(0, indices),     returns.index_select(0, indices)};
    }
  };

  struct Minibatch {
    const Samples& samples;
    int64_t begin;
    int64_t size;

    absl::Span<const float> Part(const at::Tensor& all) const {
      return Host(all).subspan(begin, size);
    }
  };

  struct Losses {
    PolicyLoss policy;
    double value = 0;
  };

  static std::vector<NamedTensor> AllParameters(const Model& model,
                                                const Distribution& distribution) {
    std::vector<NamedTensor> parameters = model.Parameters();
    for (NamedTensor& parameter : distribution.Parameters()) {
      parameters.push_back({"distribution." + parameter.name, parameter.tensor});
    }
    return parameters;
  }

  at::Tensor ToDevice(absl::Span<const float> observations) const {
    const int64_t dim = problem_.observation_dim;
    return View(observations, {static_cast<int64_t>(observations.size()) / dim, dim}).to(device_);
  }

  void WriteActions(const at::Tensor& chosen, absl::Span<char> out) const {
    const size_t size = static_cast<size_t>(chosen.numel());
    if (problem_.action.discrete()) {
      problem_.action.WriteDiscrete({chosen.data_ptr<int64_t>(), size}, out);
    } else {
      problem_.action.WriteBox({chosen.data_ptr<float>(), size}, out);
    }
  }

  // By the weights that collected, of every step (of those that are not valid they are of no use);
  // values of what came after the last step too.
  struct Likelihoods {
    at::Tensor values;
    at::Tensor log_probs;
  };

  Likelihoods LikelihoodsOf(const at::Tensor& observations, const at::Tensor& actions) {
    const int64_t rows = actions.size(0);
    const at::Tensor values = rollout_.has_values()
                                  ? View(rollout_.values(), {observations.size(0)})
                                  : model_->ForwardValue(observations).cpu().contiguous();
    if (rollout_.has_likelihoods()) return {values, View(rollout_.log_probs(), {rows})};
    const at::Tensor inputs = model_->ForwardPolicy(observations.narrow(0, 0, rows));
    return {values, distribution_->Evaluate(inputs, actions).log_prob.cpu()};
  }

  // Valid steps of the rollout, with log-probabilities, values, advantages and returns.
  Samples TakeRollout() {
    const c10::NoGradGuard no_grad;
    const int64_t steps = rollout_.steps();
    const int64_t lanes = rollout_.num_lanes();
    const int64_t rows = steps * lanes;
    const at::Tensor observations =
        View(rollout_.observations(), {rows + lanes, problem_.observation_dim}).to(device_);
    at::Tensor actions = View(rollout_.actions(), {rows, problem_.action.dim()}).to(device_);
    if (problem_.action.discrete()) actions = actions.squeeze(1).to(at::kLong);

    const auto [values, log_probs] = LikelihoodsOf(observations, actions);
    const std::vector<float> advantages = rollout_.Advantages(
        Host(values), {config_.gamma(), config_.gae_lambda(), config_.bootstrap_at_time_limit()});

    std::vector<int64_t> valid = rollout_.ValidSteps();
    const at::Tensor indices =
        at::from_blob(valid.data(), {static_cast<int64_t>(valid.size())}, at::kLong);
    const at::Tensor first_values = values.narrow(0, 0, rows);
    const at::Tensor advantage = View(advantages, {rows});
    // The loss is computed on the CPU, so what only it needs stays there.
    const at::Tensor on_device = indices.to(device_);
    return {observations.index_select(0, on_device),
            actions.index_select(0, on_device),
            log_probs.index_select(0, indices),
            first_values.index_select(0, indices),
            advantage.index_select(0, indices),
            (advantage + first_values).index_select(0, indices)};
  }

  std::vector<Statistic> Learn(double progress) {
    const Samples samples = TakeRollout();
    rollout_.Clear();
    const int64_t size = samples.returns.size(0);
    const double learning_rate = config_.learning_rate_schedule() == "linear"
                                     ? config_.learning_rate() * (1 - progress)
                                     : config_.learning_rate();
    Losses losses;
    bool stop = size < 2;
    for (int epoch = 0; epoch < config_.epochs() && !stop; ++epoch) {
      const Samples shuffled = samples.Rows(at::randperm(size, generator_, at::kLong));
      // As many minibatches as fit, their sizes equal but for one sample.
      const int64_t minibatches = std::clamp<int64_t>(
          (size + config_.minibatch_size() / 2) / config_.minibatch_size(), 1, size / 2);
      for (int64_t k = 0; k < minibatches && !stop; ++k) {
        const int64_t begin = size * k / minibatches;
        const int64_t end = size * (k + 1) / minibatches;
        stop = !Step(shuffled, begin, end - begin, learning_rate, losses);
      }
    }
    return {{"losses/value_loss", losses.value},
            {"losses/policy_loss", losses.policy.surrogate},
            {"losses/entropy", losses.policy.entropy},
            {"losses/old_approx_kl", losses.policy.old_approx_kl},
            {"losses/approx_kl", losses.policy.approx_kl},
            {"losses/clipfrac", losses.policy.clip_fraction},
            {"losses/explained_variance", ExplainedVariance(samples)},
            {"charts/learning_rate", learning_rate}};
  }

  // Where backward begins: tensors, and the loss's gradients by them.
  struct Roots {
    std::vector<at::Tensor> tensors;
    std::vector<at::Tensor> gradients;

    void Backward() const { torch::autograd::backward(tensors, gradients); }
  };

  // One step of the optimiser by `size` of the samples; false, with nothing changed, where the
  // policy has moved too far.
  bool Step(const Samples& samples, int64_t begin, int64_t size, double learning_rate,
            Losses& losses) {
    const Minibatch batch = {samples, begin, size};
    const at::Tensor observations = samples.observations.narrow(0, begin, size);
    adam_.ZeroGradients();
    const auto value_half = [&] {
      ValueRoots(batch, model_->ForwardValue(observations), losses.value).Backward();
    };
    const auto policy_half = [&] {
      const Roots roots = PolicyRoots(batch, model_->ForwardPolicy(observations), losses.policy);
      if (!TooFar(losses)) roots.Backward();
    };
    if (model_->shares_parameters()) {
      const Model::Output output = model_->Forward(observations);
      Roots roots = PolicyRoots(batch, output.policy, losses.policy);
      const Roots value_roots = ValueRoots(batch, output.value, losses.value);
      roots.tensors.push_back(value_roots.tensors[0]);
      roots.gradients.push_back(value_roots.gradients[0]);
      if (!TooFar(losses)) roots.Backward();
    } else if (companion_ != nullptr) {
      companion_->RunBoth(value_half, policy_half);
    } else {
      value_half();
      policy_half();
    }
    if (TooFar(losses)) return false;
    adam_.Step(learning_rate, config_.max_grad_norm());
    return true;
  }

  bool TooFar(const Losses& losses) const {
    return config_.target_kl() > 0 && losses.policy.approx_kl > 1.5 * config_.target_kl();
  }

  Roots PolicyRoots(const Minibatch& batch, const at::Tensor& inputs, PolicyLoss& loss) const {
    const Distribution::Likelihood likelihood =
        distribution_->Evaluate(inputs, batch.samples.actions.narrow(0, batch.begin, batch.size));
    const at::Tensor log_probs = OnHost(likelihood.log_prob);
    const at::Tensor entropies = OnHost(likelihood.entropy);
    const at::Tensor d_log_probs = at::empty({batch.size}, at::kFloat);
    loss = ComputePolicyLoss(
        {Host(log_probs), Host(entropies), batch.Part(batch.samples.log_probs),
         batch.Part(batch.samples.advantages)},
        {.clip = config_.clip(), .normalize_advantage = config_.normalize_advantage()},
        {d_log_probs.data_ptr<float>(), static_cast<size_t>(batch.size)});
    Roots roots = {{likelihood.log_prob}, {d_log_probs.to(device_)}};
    if (config_.entropy_coefficient() != 0) {
      const double each = -config_.entropy_coefficient() / static_cast<double>(batch.size);
      roots.tensors.push_back(likelihood.entropy);
      roots.gradients.push_back(at::full_like(likelihood.entropy, each));
    }
    return roots;
  }

  Roots ValueRoots(const Minibatch& batch, const at::Tensor& value, double& loss) const {
    const at::Tensor values = OnHost(value);
    const at::Tensor d_values = at::empty({batch.size}, at::kFloat);
    loss = ComputeValueLoss(
        {Host(values), batch.Part(batch.samples.values), batch.Part(batch.samples.returns)},
        {.coefficient = config_.value_coefficient(),
         .clip_value = config_.clip_value(),
         .clip = config_.clip()},
        {d_values.data_ptr<float>(), static_cast<size_t>(batch.size)});
    return {{value}, {d_values.to(device_)}};
  }

  static double ExplainedVariance(const Samples& samples) {
    if (samples.returns.size(0) < 2) return 0;
    const double variance = samples.returns.var().item<float>();
    const double unexplained = (samples.returns - samples.values).var().item<float>();
    return variance > 0 ? 1 - unexplained / variance : 0;
  }

  v1::PpoConfig config_;
  Problem problem_;
  at::Device device_;
  at::Generator generator_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Distribution> distribution_;
  FlatParameters parameters_;
  Adam adam_;
  Rollout rollout_;
  std::vector<float> read_actions_;  // scratch
  // Null where one thread computes everything.
  std::unique_ptr<Companion> companion_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> MakePpo(const v1::LearnerConfig& config,
                                                   const Problem& problem) {
  if (absl::Status status = CheckConfig(config.ppo()); !status.ok()) return status;
  absl::StatusOr<c10::Device> device = OpenDevice(config.device(), config.threads());
  if (!device.ok()) return device.status();
  return GuardTorch("making the model", [&]() -> absl::StatusOr<std::unique_ptr<Algorithm>> {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(config.seed());
    absl::StatusOr<std::unique_ptr<Distribution>> distribution =
        MakeDistribution(config.distribution(), problem.action);
    if (!distribution.ok()) return distribution.status();
    absl::StatusOr<std::unique_ptr<Model>> model = MakeModel(
        config.model(), {problem.observation_dim, (*distribution)->num_inputs()}, generator);
    if (!model.ok()) return model.status();
    return std::make_unique<Ppo>(config.ppo(), problem, *device, config.threads(),
                                 std::move(generator), *std::move(model), *std::move(distribution));
  });
}

}  // namespace hivewire
