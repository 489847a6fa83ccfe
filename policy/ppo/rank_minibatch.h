// A minibatch of which every rank has a part (policy/ranks).
//
// Throws as OrThrow does, once a rank is lost.
#ifndef HIVEWIRE_POLICY_PPO_RANK_MINIBATCH_H_
#define HIVEWIRE_POLICY_PPO_RANK_MINIBATCH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/types/span.h"
#include "policy/normalizer.h"
#include "policy/ppo/loss.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

// Of something that each rank has `own` of.
struct RankCount {
  int64_t total = 0;
  int64_t least = 0;
};

RankCount CountOverRanks(Ranks& ranks, int64_t own);

// Mean and deviation of the advantages on all ranks.
AdvantageScale ScaleOverRanks(Ranks& ranks, absl::Span<const float> advantages);

// A rank's part of a minibatch.
struct RankPart {
  // Its share of the samples.
  double weight = 1;
  // Of all advantages.
  AdvantageScale scale;
};

RankPart PartOfMinibatch(Ranks& ranks, absl::Span<const float> advantages);

// Turns means over a rank's part into means over all: the gradients, on any device, and losses.
void MeanOverRanks(Ranks& ranks, double weight, at::Tensor& gradients, PolicyLoss& policy_loss,
                   double& value_loss);

// Gives every rank what rank 0 has.
void TakeRankZeros(Ranks& ranks, at::Tensor& values);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_RANK_MINIBATCH_H_
