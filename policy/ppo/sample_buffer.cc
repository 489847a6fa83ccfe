#include "policy/ppo/sample_buffer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "policy/nn/guard_torch.h"
#include "policy/ppo/rank_minibatch.h"
#include "policy/ppo/views.h"
#include "policy/ranks/moments.h"

namespace hivewire {
namespace {

at::Tensor Indices(std::vector<int64_t>& values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kLong).clone();
}

// x in units of the deviation, from the mean.
struct Scale {
  double mean = 0;
  double deviation = 1;

  static Scale Of(const RunningMoments* moments) {
    if (moments == nullptr) return {};
    return {moments->mean()[0], std::sqrt(moments->variance()[0] + 1e-5)};
  }
};

}  // namespace

SampleBuffer::SampleBuffer(const Model& model, const Distribution& distribution,
                           const Problem& problem, const Options& options, at::Device device,
                           Rollout& rollout, const LaneMemories& memories,
                           RunningMoments* value_moments)
    : model_(model),
      distribution_(distribution),
      options_(options),
      device_(device),
      rollout_(rollout),
      value_moments_(value_moments),
      steps_(rollout.steps()),
      lanes_(rollout.num_lanes()),
      start_(memories) {
  const c10::NoGradGuard no_grad;
  const int64_t rows = steps_ * lanes_;
  observations_ = View(rollout.observations(), {rows + lanes_, problem.observation_dim}).to(device);
  actions_ = View(rollout.actions(), {rows, problem.action.dim()}).to(device);
  if (problem.action.discrete()) actions_ = actions_.to(at::kLong);
  if (problem.action.discrete() && problem.action.dim() == 1) actions_ = actions_.squeeze(1);
  std::vector<int64_t> valid = rollout.ValidSteps();
  valid_ = Indices(valid);
  size_ = valid_.numel();
  if (recurrent()) {
    is_valid_.resize(rows);
    for (const int64_t row : valid) is_valid_[row] = 1;
    std::vector<float> keep(rows + lanes_, 1.0f);
    for (int64_t row = 0; row < rows; ++row) keep[row + lanes_] = is_valid_[row];
    keep_ = View(keep, {steps_ + 1, lanes_}).clone().to(device);
    CutIntoChunks(memories);
  }
  if (steps_ == 0) {
    log_probs_ = at::empty({0});
  } else {
    log_probs_ = rollout.has_log_probs() && !options.by_element ? View(rollout.log_probs(), {rows})
                                                                : LogProbs();
  }
  ComputeReturns();
}

void SampleBuffer::CutIntoChunks(const LaneMemories& memories) {
  value_memory_after_ = memories.value;
  if (steps_ == 0) return;
  for (int64_t step = 0; step < steps_; step += options_.tbptt_steps) {
    const int64_t end = std::min<int64_t>(step + options_.tbptt_steps, steps_);
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      bool any = false;
      for (int64_t t = step; t < end; ++t) any |= is_valid_[t * lanes_ + lane] != 0;
      if (any) chunks_.push_back({step, lane});
    }
  }
  // What the collecting policy remembered at the beginning of each stretch.
  std::vector<at::Tensor> policy, value;
  Passage passage = {.policy_memory = memories.policy, .value_memory = memories.value};
  for (int64_t step = 0; step < steps_; step += options_.tbptt_steps) {
    const at::Tensor kept = keep_.select(0, step).unsqueeze(1);
    policy.push_back(passage.policy_memory * kept);
    if (memories.value.defined()) value.push_back(passage.value_memory * kept);
    passage.steps = std::min<int64_t>(options_.tbptt_steps, steps_ - step);
    passage.keep = keep_.narrow(0, step, passage.steps);
    const at::Tensor observations = observations_.narrow(0, step * lanes_, passage.steps * lanes_);
    model_.ForwardPolicy(observations, passage);
    if (memories.value.defined()) model_.ForwardValue(observations, passage);
  }
  chunk_policy_memory_ = OfChunks(policy);
  if (!memories.value.defined()) return;
  chunk_value_memory_ = OfChunks(value);
  value_memory_after_ = passage.value_memory * keep_.select(0, steps_).unsqueeze(1);
}

at::Tensor SampleBuffer::OfChunks(const std::vector<at::Tensor>& by_stretch) const {
  std::vector<int64_t> rows;
  for (const Chunk& chunk : chunks_) {
    rows.push_back(chunk.first_step / options_.tbptt_steps * lanes_ + chunk.lane);
  }
  return at::cat(by_stretch).index_select(0, Indices(rows).to(device_));
}

at::Tensor SampleBuffer::LogProbs() const {
  Passage passage = {.steps = steps_, .policy_memory = start_.policy};
  if (recurrent()) passage.keep = keep_.narrow(0, 0, steps_);
  const at::Tensor inputs =
      model_.ForwardPolicy(observations_.narrow(0, 0, steps_ * lanes_), passage);
  return (options_.by_element ? distribution_.ElementLogProbs(inputs, actions_)
                              : distribution_.Evaluate(inputs, actions_).log_prob)
      .cpu()
      .contiguous();
}

at::Tensor SampleBuffer::Values() {
  Passage passage = {.steps = steps_ + 1,
                     .keep = keep_,
                     .policy_memory = start_.policy,
                     .value_memory = start_.value};
  return model_.ForwardValue(observations_, passage).cpu().contiguous();
}

void SampleBuffer::ComputeReturns() {
  const at::Tensor values = Values();
  const int64_t rows = steps_ * lanes_;
  const bool first = !values_.defined();
  const Scale before = Scale::Of(value_moments_);
  const at::Tensor raw =
      value_moments_ != nullptr ? values * before.deviation + before.mean : values;
  const std::vector<float> advantages = rollout_.Advantages(Host(raw), options_.gae);
  advantages_ = View(advantages, {rows}).clone();
  const at::Tensor raw_values = raw.narrow(0, 0, rows);
  returns_ = advantages_ + raw_values;
  values_ = raw_values.clone();
  if (value_moments_ != nullptr) {
    const at::Tensor seen = returns_.index_select(0, valid_);
    if (first) OrThrow(UpdateOverRanks(options_.ranks, Host(seen), {}, *value_moments_));
    const Scale after = Scale::Of(value_moments_);
    returns_.sub_(after.mean).div_(after.deviation);
    values_.sub_(after.mean).div_(after.deviation);
  }
  if (!options_.normalize_advantage) return;
  const at::Tensor learned_from = advantages_.index_select(0, valid_);
  if (options_.ranks != nullptr) {
    const AdvantageScale scale = ScaleOverRanks(*options_.ranks, Host(learned_from));
    advantages_.sub_(scale.mean).mul_(scale.inverse_deviation);
  } else if (size_ > 1) {
    advantages_.sub_(learned_from.mean()).div_(learned_from.std() + 1e-8);
  }
}

void SampleBuffer::Recompute() {
  const c10::NoGradGuard no_grad;
  ComputeReturns();
}

double SampleBuffer::ExplainedVariance() const {
  if (size_ < 2) return 0;
  const at::Tensor returns = returns_.index_select(0, valid_);
  const double variance = returns.var().item<float>();
  const double unexplained = (returns - values_.index_select(0, valid_)).var().item<float>();
  return variance > 0 ? 1 - unexplained / variance : 0;
}

int64_t SampleBuffer::CountMinibatches(int64_t units, int64_t least, int64_t minibatch_size) const {
  const int64_t samples = recurrent() ? units * options_.tbptt_steps : units;
  // Of one sample there is no deviation.
  const int64_t most = recurrent() ? least : least / 2;
  if (most == 0) return 0;
  return std::clamp<int64_t>((samples + minibatch_size / 2) / minibatch_size, 1, most);
}

void SampleBuffer::Shuffle(int64_t minibatches, at::Generator& generator) {
  minibatches_ = minibatches;
  order_ = at::randperm(units(), generator, at::kLong);
  if (!recurrent()) order_ = valid_.index_select(0, order_);
}

Minibatch SampleBuffer::Take(int64_t k) const {
  const int64_t begin = order_.numel() * k / minibatches_;
  const int64_t end = order_.numel() * (k + 1) / minibatches_;
  const at::Tensor rows = order_.narrow(0, begin, end - begin);
  if (recurrent()) return TakeChunks(rows);
  const at::Tensor on_device = rows.to(device_);
  Minibatch batch;
  batch.observations = observations_.index_select(0, on_device);
  batch.actions = actions_.index_select(0, on_device);
  batch.log_probs = log_probs_.index_select(0, rows);
  batch.values = values_.index_select(0, rows);
  batch.advantages = advantages_.index_select(0, rows);
  batch.returns = returns_.index_select(0, rows);
  batch.size = end - begin;
  return batch;
}

Minibatch SampleBuffer::TakeChunks(const at::Tensor& order) const {
  const int64_t* chosen = order.const_data_ptr<int64_t>();
  const int64_t count = order.numel();
  const int64_t length = std::min<int64_t>(options_.tbptt_steps, steps_);
  // Rows in the order of time, and which of them are samples.
  std::vector<int64_t> rows, samples, sample_rows;
  for (int64_t t = 0; t < length; ++t) {
    for (int64_t i = 0; i < count; ++i) {
      const Chunk& chunk = chunks_[chosen[i]];
      const int64_t step = chunk.first_step + t;
      // Past the end: any row, none of which is a sample.
      const int64_t row = std::min(step, steps_ - 1) * lanes_ + chunk.lane;
      if (step < steps_ && is_valid_[row]) {
        samples.push_back(static_cast<int64_t>(rows.size()));
        sample_rows.push_back(row);
      }
      rows.push_back(row);
    }
  }
  const at::Tensor on_device = Indices(rows).to(device_);
  const at::Tensor sample_indices = Indices(sample_rows);
  const at::Tensor chunk_indices = order.to(device_);
  Minibatch batch;
  batch.observations = observations_.index_select(0, on_device);
  batch.passage.steps = length;
  batch.passage.keep =
      keep_.reshape({-1}).index_select(0, on_device).reshape({length, count}).clone();
  // The memories that a stretch begins with have forgotten already.
  batch.passage.keep.narrow(0, 0, 1).fill_(1);
  batch.passage.policy_memory = chunk_policy_memory_.index_select(0, chunk_indices);
  if (chunk_value_memory_.defined()) {
    batch.passage.value_memory = chunk_value_memory_.index_select(0, chunk_indices);
  }
  batch.samples = Indices(samples).to(device_);
  batch.actions = actions_.index_select(0, sample_indices.to(device_));
  batch.log_probs = log_probs_.index_select(0, sample_indices);
  batch.values = values_.index_select(0, sample_indices);
  batch.advantages = advantages_.index_select(0, sample_indices);
  batch.returns = returns_.index_select(0, sample_indices);
  batch.size = sample_indices.numel();
  return batch;
}

}  // namespace hivewire
