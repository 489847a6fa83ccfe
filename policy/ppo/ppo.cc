#include "policy/ppo/ppo.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "policy/nn/adam.h"
#include "policy/nn/architecture.h"
#include "policy/nn/companion.h"
#include "policy/nn/device.h"
#include "policy/nn/distribution.h"
#include "policy/nn/flat_parameters.h"
#include "policy/nn/guard_torch.h"
#include "policy/nn/model.h"
#include "policy/normalizer.h"
#include "policy/ppo/loss.h"
#include "policy/ppo/options.h"
#include "policy/ppo/rank_minibatch.h"
#include "policy/ppo/rollout.h"
#include "policy/ppo/sample_buffer.h"
#include "policy/ppo/schedule.h"
#include "policy/ppo/views.h"

namespace hivewire {
namespace {

// Names in checkpoints.
constexpr char kLearningRate[] = "ppo.learning_rate";
constexpr char kValueMoments[] = "ppo.value_moments";
constexpr char kPolicyMemory[] = "ppo.policy_memory";
constexpr char kValueMemory[] = "ppo.value_memory";

// The tensor itself where it is there already.
at::Tensor OnHost(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.is_contiguous() ? tensor
                                                            : tensor.detach().cpu().contiguous();
}

class Ppo : public Algorithm {
 public:
  // On the CPU with two threads or more, policy and value are learned beside each other.
  Ppo(const v1::LearnerConfig& config, const Problem& problem, at::Device device,
      at::Generator generator, std::unique_ptr<Model> model,
      std::unique_ptr<Distribution> distribution)
      : config_(config.ppo()),
        clip_to_box_(config.distribution().clip_to_box()),
        problem_(problem),
        device_(device),
        generator_(std::move(generator)),
        model_(std::move(model)),
        distribution_(std::move(distribution)),
        parameters_(AllParameters(*model_, *distribution_), device),
        adam_(parameters_, config_.adam_epsilon()),
        learning_rate_(config_),
        value_moments_(1),
        rollout_(config_.rollout_steps(), problem.num_lanes, problem.observation_dim,
                 static_cast<int>(problem.action.dim())) {
    if (device.is_cpu() && config.threads() > 1) companion_ = std::make_unique<Companion>();
    const auto no_memories = [&](int64_t width) {
      return width > 0 ? at::zeros({problem.num_lanes, width}, device) : at::Tensor();
    };
    memory_ = no_memories(model_->policy_memory_width());
    value_memory_ = no_memories(model_->value_memory_width());
    start_ = {no_memories(model_->policy_memory_width()),
              no_memories(model_->value_memory_width())};
  }

  absl::Status Act(LaneRange lanes, absl::Span<const float> observations,
                   absl::Span<char> actions) override {
    if (!rollout_.CanStep(lanes)) {
      return absl::FailedPreconditionError("Act for lanes that are not at the same step");
    }
    if (rollout_.has_log_probs()) {
      return absl::FailedPreconditionError("Act after TakeChoices, before an Update");
    }
    return GuardTorch("choosing actions", [&] {
      const c10::NoGradGuard no_grad;
      Passage passage;
      if (memory_.defined()) passage.policy_memory = RowsOf(lanes);
      const at::Tensor inputs = model_->ForwardPolicy(ToDevice(observations), passage);
      if (memory_.defined()) RowsOf(lanes).copy_(passage.policy_memory);
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
    if (!rollout_.CanStep(lanes) || (rollout_.steps() > 0 && !rollout_.has_log_probs())) {
      return absl::FailedPreconditionError(
          "TakeChoices for lanes that are not at the same step, or after Act");
    }
    read_actions_.resize(static_cast<size_t>(lanes.count * problem_.action.dim()));
    absl::Status status = problem_.action.Read(choices.actions, absl::MakeSpan(read_actions_));
    if (!status.ok()) return status;
    rollout_.PutActions(lanes, choices.observations, read_actions_);
    rollout_.PutLogProbs(lanes, choices.log_probs);
    return absl::OkStatus();
  }

  absl::Status Record(LaneRange lanes, const Transitions& transitions) override {
    rollout_.PutTransitions(lanes, transitions);
    if (!memory_.defined()) return absl::OkStatus();
    return GuardTorch("forgetting", [&] {
      for (int i = 0; i < lanes.count; ++i) {
        if (!transitions.valid[i]) memory_.select(0, lanes.first + i).zero_();
      }
    });
  }

  int memory_width() const override { return static_cast<int>(model_->policy_memory_width()); }

  void StartEpisodes(LaneRange lanes) override {
    if (!memory_.defined()) return;
    RowsOf(lanes).zero_();
    // What a rollout began with is needed to learn from it.
    if (rollout_.steps() > 0) {
      forgotten_.push_back(lanes);
    } else {
      Forget(lanes);
    }
  }

  absl::Status TakeMemories(absl::Span<const int> lanes, absl::Span<const float> memory) override {
    const int64_t width = model_->policy_memory_width();
    const auto count = static_cast<int64_t>(lanes.size());
    if (static_cast<int64_t>(memory.size()) != count * width || count > problem_.num_lanes) {
      return absl::InvalidArgumentError(absl::StrCat(memory.size(), " numbers remembered of ",
                                                     count, " lanes; the model has ", width,
                                                     " for each of ", problem_.num_lanes));
    }
    if (width == 0) return absl::OkStatus();
    return GuardTorch("taking over memories", [&] {
      lanes_.assign(lanes.begin(), lanes.end());
      start_.policy.narrow(0, 0, count).copy_(View(memory, {count, width}));
      if (!start_.value.defined()) return;
      for (int64_t k = 0; k < count; ++k) start_.value[k].copy_(value_memory_[lanes_[k]]);
    });
  }

  absl::Status LearnWith(Ranks& ranks) override {
    ranks_ = &ranks;
    return GuardTorch("taking over rank 0's weights",
                      [&] { TakeRankZeros(ranks, parameters_.values()); });
  }

  int StepsUntilUpdate() const override { return rollout_.StepsLeft(); }

  absl::StatusOr<std::vector<Statistic>> Update(double progress) override {
    return GuardTorch("updating",
                      [&]() -> absl::StatusOr<std::vector<Statistic>> { return Learn(progress); });
  }

  absl::Status ActGreedily(absl::Span<const float> observations, absl::Span<float> memory,
                           absl::Span<char> actions) const override {
    return ActOutside(observations, memory, actions,
                      [this](const at::Tensor& inputs) { return distribution_->Mode(inputs); });
  }

  absl::Status ActBySampling(absl::Span<const float> observations, absl::Span<float> memory,
                             absl::Span<char> actions, uint64_t seed) const override {
    return ActOutside(observations, memory, actions, [this, seed](const at::Tensor& inputs) {
      at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
      return distribution_->Sample(inputs, generator);
    });
  }

  absl::Status Save(TensorMap& tensors) const override {
    return GuardTorch("saving", [&] {
      parameters_.Save("model", parameters_.values(), tensors);
      adam_.Save("adam", tensors);
      learning_rate_.Save(kLearningRate, tensors);
      if (config_.normalize_value()) value_moments_.Save(kValueMoments, tensors);
      for (const auto& [name, memory] :
           {std::pair(kPolicyMemory, memory_), std::pair(kValueMemory, value_memory_)}) {
        if (!memory.defined()) continue;
        const at::Tensor rows = memory.cpu().contiguous();
        tensors.PutFloats(name, Host(rows));
      }
      const at::Tensor state = generator_.get_state();
      tensors.PutBytes("generator", {reinterpret_cast<const char*>(state.data_ptr<uint8_t>()),
                                     static_cast<size_t>(state.numel())});
    });
  }

  absl::Status Load(const TensorMap& tensors) override {
    return GuardTorch("tensor \"generator\"", [&] {
      absl::Status status = parameters_.Load("model", tensors, parameters_.values());
      if (status.ok()) status = adam_.Load("adam", tensors);
      if (status.ok()) status = learning_rate_.Load(kLearningRate, tensors);
      if (status.ok() && config_.normalize_value()) {
        status = value_moments_.Load(kValueMoments, tensors);
      }
      if (status.ok()) status = LoadMemory(kPolicyMemory, tensors, memory_);
      if (status.ok()) status = LoadMemory(kValueMemory, tensors, value_memory_);
      if (!status.ok()) return status;
      StartFromMemories();
      absl::StatusOr<std::string> bytes = tensors.GetBytes("generator");
      if (!bytes.ok()) return bytes.status();
      at::Tensor state = at::empty({static_cast<int64_t>(bytes->size())}, at::kByte);
      std::memcpy(state.data_ptr<uint8_t>(), bytes->data(), bytes->size());
      generator_.set_state(state);
      return absl::OkStatus();
    });
  }

  absl::Status LoadWeights(const TensorMap& tensors) override {
    return GuardTorch("loading weights", [&] {
      absl::Status status = parameters_.Load("model", tensors, parameters_.values());
      if (status.ok() && config_.normalize_value() &&
          tensors.contains(absl::StrCat(kValueMoments, ".count"))) {
        status = value_moments_.Load(kValueMoments, tensors);
      }
      return status;
    });
  }

 private:
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

  // Acts in lanes that are not learned from; `choose` makes actions of the policy's outputs.
  absl::Status ActOutside(absl::Span<const float> observations, absl::Span<float> memory,
                          absl::Span<char> actions,
                          absl::FunctionRef<at::Tensor(const at::Tensor&)> choose) const {
    return GuardTorch("choosing actions", [&] {
      const c10::NoGradGuard no_grad;
      Passage passage;
      const int64_t width = model_->policy_memory_width();
      if (width > 0) {
        const auto rows = static_cast<int64_t>(memory.size()) / width;
        passage.policy_memory = View(memory, {rows, width}).to(device_);
      }
      const at::Tensor inputs = model_->ForwardPolicy(ToDevice(observations), passage);
      if (width > 0) {
        const at::Tensor after = passage.policy_memory.cpu().contiguous();
        std::copy_n(after.const_data_ptr<float>(), memory.size(), memory.begin());
      }
      WriteActions(choose(inputs).cpu().contiguous(), actions);
    });
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
      problem_.action.WriteBox({chosen.data_ptr<float>(), size}, clip_to_box_, out);
    }
  }

  at::Tensor RowsOf(LaneRange lanes) const { return memory_.narrow(0, lanes.first, lanes.count); }

  // Before the next rollout.
  void Forget(LaneRange lanes) {
    for (const at::Tensor& memory : {start_.policy, start_.value, value_memory_}) {
      if (memory.defined()) memory.narrow(0, lanes.first, lanes.count).zero_();
    }
  }

  // A checkpoint of other lanes (fewer, or more) leaves them with nothing to remember.
  static absl::Status LoadMemory(const std::string& name, const TensorMap& tensors,
                                 at::Tensor& memory) {
    if (!memory.defined() || !tensors.contains(name)) return absl::OkStatus();
    std::vector<float> rows(static_cast<size_t>(memory.numel()));
    absl::Status status = tensors.GetFloats(name, absl::MakeSpan(rows));
    if (absl::IsFailedPrecondition(status)) return absl::OkStatus();
    if (status.ok()) memory.copy_(View(rows, memory.sizes()));
    return status;
  }

  std::vector<Statistic> Learn(double progress) {
    const bool whole_rollout = config_.advantage_scope() == "rollout";
    SampleBuffer samples(
        *model_, *distribution_, problem_,
        {.gae = {config_.gamma(), config_.gae_lambda(), config_.bootstrap_at_time_limit()},
         .normalize_advantage = config_.normalize_advantage() && whole_rollout,
         .tbptt_steps = config_.tbptt_steps(),
         .by_element = ClipsByElement(),
         .ranks = ranks_},
        device_, rollout_, start_, config_.normalize_value() ? &value_moments_ : nullptr);
    policy_loss_ = {.clip = config_.clip(),
                    .normalize_advantage = config_.normalize_advantage() && !whole_rollout,
                    .kl_coefficient = config_.kl_coefficient()};
    learning_rate_.BeginUpdate(progress);
    entropy_coefficient_ = EntropyCoefficient(config_, progress);
    const double learning_rate = learning_rate_.value();
    const double explained_variance = samples.ExplainedVariance();
    Losses losses;
    RankCount units = {samples.units(), samples.size() < 2 ? 0 : samples.units()};
    if (ranks_ != nullptr) units = CountOverRanks(*ranks_, units.least);
    const int64_t minibatches =
        samples.CountMinibatches(units.total, units.least, config_.minibatch_size());
    bool stop = minibatches == 0;
    for (int epoch = 0; epoch < config_.epochs() && !stop; ++epoch) {
      if (epoch > 0 && config_.recompute_advantages()) samples.Recompute();
      samples.Shuffle(minibatches, generator_);
      for (int64_t k = 0; k < minibatches && !stop; ++k) {
        stop = !Step(samples.Take(k), losses);
      }
    }
    StartNextRollout(samples);
    return {{"losses/value_loss", losses.value},
            {"losses/policy_loss", losses.policy.surrogate},
            {"losses/entropy", losses.policy.entropy},
            {"losses/old_approx_kl", losses.policy.old_approx_kl},
            {"losses/approx_kl", losses.policy.approx_kl},
            {"losses/clipfrac", losses.policy.clip_fraction},
            {"losses/explained_variance", explained_variance},
            {"charts/learning_rate", learning_rate}};
  }

  void StartNextRollout(const SampleBuffer& samples) {
    rollout_.Clear();
    if (!memory_.defined()) return;
    if (value_memory_.defined() && lanes_.empty()) {
      value_memory_.copy_(samples.value_memory_after());
    }
    // Rows of choices are whatever lanes they were of.
    for (size_t k = 0; k < lanes_.size() && value_memory_.defined(); ++k) {
      value_memory_[lanes_[k]].copy_(samples.value_memory_after()[static_cast<int64_t>(k)]);
    }
    lanes_.clear();
    StartFromMemories();
    for (const LaneRange& lanes : std::exchange(forgotten_, {})) Forget(lanes);
  }

  // The next rollout begins with what the lanes remember now.
  void StartFromMemories() {
    if (memory_.defined()) start_.policy.copy_(memory_);
    if (value_memory_.defined()) start_.value.copy_(value_memory_);
  }

  // Where backward begins: tensors, and the loss's gradients by them.
  struct Roots {
    std::vector<at::Tensor> tensors;
    std::vector<at::Tensor> gradients;

    void Backward() const { torch::autograd::backward(tensors, gradients); }
  };

  // One step of the optimiser; false, with nothing changed, where the policy has moved too far.
  bool Step(Minibatch batch, Losses& losses) {
    adam_.ZeroGradients();
    RankPart part;
    if (ranks_ != nullptr) {
      part = PartOfMinibatch(*ranks_, Host(batch.advantages));
      policy_loss_.scale = part.scale;
    }
    // Each half has a passage of its own: they may run at once.
    Passage value_passage = batch.passage;
    const auto value_half = [&] {
      ValueRoots(batch, model_->ForwardValue(batch.observations, value_passage), losses.value)
          .Backward();
    };
    const auto policy_half = [&] {
      const Roots roots = PolicyRoots(
          batch, model_->ForwardPolicy(batch.observations, batch.passage), losses.policy);
      if (ranks_ != nullptr || !TooFar(losses)) roots.Backward();
    };
    if (model_->shares_parameters()) {
      const Model::Output output = model_->Forward(batch.observations, batch.passage);
      Roots roots = PolicyRoots(batch, output.policy, losses.policy);
      const Roots value_roots = ValueRoots(batch, output.value, losses.value);
      roots.tensors.push_back(value_roots.tensors[0]);
      roots.gradients.push_back(value_roots.gradients[0]);
      if (ranks_ != nullptr || !TooFar(losses)) roots.Backward();
    } else if (companion_ != nullptr) {
      companion_->RunBoth(value_half, policy_half);
    } else {
      value_half();
      policy_half();
    }
    // How far is too far depends on what all ranks see.
    if (ranks_ != nullptr) {
      MeanOverRanks(*ranks_, part.weight, parameters_.gradients(), losses.policy, losses.value);
    }
    learning_rate_.Observe(losses.policy.approx_kl);
    if (TooFar(losses)) return false;
    adam_.Step(learning_rate_.value(), config_.max_grad_norm());
    return true;
  }

  bool ClipsByElement() const { return config_.clip_scope() == "element"; }

  bool TooFar(const Losses& losses) const {
    return config_.target_kl() > 0 && losses.policy.approx_kl > 1.5 * config_.target_kl();
  }

  Roots PolicyRoots(const Minibatch& batch, const at::Tensor& of_rows, PolicyLoss& loss) const {
    const at::Tensor inputs = batch.Samples(of_rows);
    const Distribution::Likelihood likelihood = distribution_->Evaluate(inputs, batch.actions);
    const at::Tensor log_prob = ClipsByElement()
                                    ? distribution_->ElementLogProbs(inputs, batch.actions)
                                    : likelihood.log_prob;
    const at::Tensor log_probs = OnHost(log_prob);
    const at::Tensor entropies = OnHost(likelihood.entropy);
    const at::Tensor d_log_probs = at::empty_like(log_probs);
    loss = ComputePolicyLoss(
        {Host(log_probs), Host(entropies), Host(batch.log_probs), Host(batch.advantages)},
        policy_loss_, {d_log_probs.data_ptr<float>(), static_cast<size_t>(d_log_probs.numel())});
    Roots roots = {{log_prob}, {d_log_probs.to(device_)}};
    if (entropy_coefficient_ != 0 && likelihood.entropy.requires_grad()) {
      const double each = -entropy_coefficient_ / static_cast<double>(batch.size);
      roots.tensors.push_back(likelihood.entropy);
      roots.gradients.push_back(at::full_like(likelihood.entropy, each));
    }
    return roots;
  }

  Roots ValueRoots(const Minibatch& batch, const at::Tensor& of_rows, double& loss) const {
    const at::Tensor value = batch.Samples(of_rows);
    const at::Tensor values = OnHost(value);
    const at::Tensor d_values = at::empty({batch.size}, at::kFloat);
    loss = ComputeValueLoss({Host(values), Host(batch.values), Host(batch.returns)},
                            {.coefficient = config_.value_coefficient(),
                             .clip_value = config_.clip_value(),
                             .clip = config_.clip()},
                            {d_values.data_ptr<float>(), static_cast<size_t>(batch.size)});
    return {{value}, {d_values.to(device_)}};
  }

  v1::PpoConfig config_;
  bool clip_to_box_;
  Problem problem_;
  at::Device device_;
  at::Generator generator_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Distribution> distribution_;
  FlatParameters parameters_;
  Adam adam_;
  LearningRate learning_rate_;
  RunningMoments value_moments_;  // of returns, where values are normalised
  Rollout rollout_;
  std::vector<float> read_actions_;  // scratch
  // Of the present update.
  PolicyLossOptions policy_loss_;
  double entropy_coefficient_ = 0;
  // What policy and value remember of each lane, and remembered before the rollout, of which row k
  // is lane lanes_[k], or k where there are none; undefined without a memory.
  at::Tensor memory_;
  at::Tensor value_memory_;
  LaneMemories start_;
  std::vector<int64_t> lanes_;
  // Lanes that begin the next rollout with new episodes.
  std::vector<LaneRange> forgotten_;
  // Null where this one learns alone.
  Ranks* ranks_ = nullptr;
  // Null where one thread computes everything.
  std::unique_ptr<Companion> companion_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> MakePpo(const v1::LearnerConfig& config,
                                                   const Problem& problem) {
  absl::Status status = CheckPpoConfig(config);
  if (status.ok()) status = CheckRolloutSize(config.ppo(), problem);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<int64_t>> columns = PolicyColumnsOf(config.model(), problem);
  if (!columns.ok()) return columns.status();
  absl::StatusOr<c10::Device> device = OpenDevice(config.device());
  if (!device.ok()) return device.status();
  // Two threads compute operations beside each other (Companion); each has half.
  UseThreads(std::max(1, config.threads() / 2));
  return GuardTorch("making the model", [&]() -> absl::StatusOr<std::unique_ptr<Algorithm>> {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(config.seed());
    absl::StatusOr<std::unique_ptr<Distribution>> distribution =
        MakeDistribution(config.distribution(), problem.action);
    if (!distribution.ok()) return distribution.status();
    absl::StatusOr<std::unique_ptr<Model>> model =
        MakeModel(config.model(),
                  {.observation_dim = problem.observation_dim,
                   .policy_outputs = (*distribution)->num_inputs(),
                   .policy_bias = (*distribution)->InitialBias(),
                   .policy_columns = *columns,
                   .leaves = problem.observation_leaves},
                  generator);
    if (!model.ok()) return model.status();
    // There is no second half to leave threads for, and convolutions gain by them.
    if (HasConvolutions(config.model()) && (*model)->shares_parameters())
      UseThreads(config.threads());
    return std::make_unique<Ppo>(config, problem, *device, std::move(generator), *std::move(model),
                                 *std::move(distribution));
  });
}

}  // namespace hivewire
