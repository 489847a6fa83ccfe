// What PPO learns from: the steps of one rollout, with what the policy that collected made of each,
// cut into minibatches.
//
// A model without a memory learns from single steps; one that remembers from stretches of
// tbptt_steps steps of a lane, each beginning with what the collecting policy remembered there, and
// padded where the rollout ends (Werbos 1990, truncated). May throw what torch throws; one thread.
#ifndef HIVEWIRE_POLICY_PPO_SAMPLE_BUFFER_H_
#define HIVEWIRE_POLICY_PPO_SAMPLE_BUFFER_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

#include "policy/algorithm.h"
#include "policy/nn/distribution.h"
#include "policy/nn/model.h"
#include "policy/normalizer.h"
#include "policy/ppo/gae.h"
#include "policy/ppo/rollout.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

// Rows go through the model, samples are what is learned from: the rows that are steps.
struct Minibatch {
  at::Tensor observations;  // (rows, observation_dim), on the device
  Passage passage;
  at::Tensor samples;  // which rows are, on the device; undefined: all
  at::Tensor actions;  // of the samples, on the device
  // Of the samples, on the CPU, where the loss is computed.
  at::Tensor log_probs;  // (size), or (size, elements of an action)
  at::Tensor values;
  at::Tensor advantages;
  at::Tensor returns;
  int64_t size = 0;

  // The samples among what a model makes of all rows.
  at::Tensor Samples(const at::Tensor& of_rows) const {
    return samples.defined() ? of_rows.index_select(0, samples) : of_rows;
  }
};

// What the lanes remembered before the rollout's first step, (lanes, width), on the device.
struct LaneMemories {
  at::Tensor policy;
  at::Tensor value;
};

class SampleBuffer {
 public:
  struct Options {
    GaeOptions gae;
    // Of the whole rollout's advantages, to mean 0 and standard deviation 1.
    bool normalize_advantage = false;
    int tbptt_steps = 1;
    // Log-probabilities of each element of an action by itself.
    bool by_element = false;
    // Where what is normalised is so over all ranks.
    Ranks* ranks = nullptr;
  };

  // All but the memories outlive the buffer; `value_moments` is null where values are not
  // normalised. Without the likelihoods of a policy that acted elsewhere, or by element, they are
  // computed by the model as it is now.
  SampleBuffer(const Model& model, const Distribution& distribution, const Problem& problem,
               const Options& options, at::Device device, Rollout& rollout,
               const LaneMemories& memories, RunningMoments* value_moments);

  // Steps to learn from.
  int64_t size() const { return size_; }
  // What the value remembers after the rollout, where it has a memory of its own.
  const at::Tensor& value_memory_after() const { return value_memory_after_; }
  // Share of the returns' variance that the values account for.
  double ExplainedVariance() const;

  // Values and advantages by the model as it is now.
  void Recompute();

  // What minibatches are made of: steps, or stretches.
  int64_t units() const { return recurrent() ? static_cast<int64_t>(chunks_.size()) : size_; }
  // Into how many minibatches of about `minibatch_size` samples so many units are cut; 0 for too
  // few to learn from. `least`: the units of who has fewest, of several that have `units` in all.
  int64_t CountMinibatches(int64_t units, int64_t least, int64_t minibatch_size) const;
  // A new order, cut into so many minibatches, equal but for one unit.
  void Shuffle(int64_t minibatches, at::Generator& generator);
  Minibatch Take(int64_t k) const;

 private:
  // A stretch of one lane.
  struct Chunk {
    int64_t first_step;
    int64_t lane;
  };

  bool recurrent() const { return model_.policy_memory_width() > 0; }
  void CutIntoChunks(const LaneMemories& memories);
  // By the model as it is now, of all rows; values of what follows the last step too.
  at::Tensor LogProbs() const;
  at::Tensor Values();
  void ComputeReturns();
  // Memories, by step and lane, at the beginning of each stretch → those of the chunks.
  at::Tensor OfChunks(const std::vector<at::Tensor>& by_stretch) const;
  Minibatch TakeChunks(const at::Tensor& order) const;

  const Model& model_;
  const Distribution& distribution_;
  const Options options_;
  const at::Device device_;
  Rollout& rollout_;
  RunningMoments* const value_moments_;
  const int64_t steps_;
  const int64_t lanes_;
  int64_t size_ = 0;

  at::Tensor observations_;  // (rows + lanes, observation_dim), on the device
  at::Tensor actions_;       // (rows, …), on the device
  at::Tensor keep_;          // (steps + 1, lanes), on the device, as in Passage
  at::Tensor valid_;         // indices of the rows to learn from, rising
  LaneMemories start_;
  // (rows) each, log_probs_ as a minibatch's, on the CPU. Values and returns as the critic gives
  // them: normalised if it is.
  at::Tensor log_probs_;
  at::Tensor values_;
  at::Tensor advantages_;
  at::Tensor returns_;
  at::Tensor value_memory_after_;

  // Recurrent models: what minibatches are made of, with their memories, (chunks, width).
  std::vector<Chunk> chunks_;
  std::vector<uint8_t> is_valid_;  // by row
  at::Tensor chunk_policy_memory_;
  at::Tensor chunk_value_memory_;

  at::Tensor order_;
  int64_t minibatches_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_SAMPLE_BUFFER_H_
