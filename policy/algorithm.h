// An Algorithm learns a policy from what its actions lead to: the seam between training (envs,
// normalisation, schedules, files) and learning.
//
// Who calls whom: for a range of lanes the trainer calls Act with their observations, steps the
// envs, and gives Record the outcome; ranges may be interleaved, each strictly Act, Record, Act, …
// Once every lane has taken StepsUntilUpdate() steps it calls Update. Save and Load are called
// between an Update and the next Act.
//
// Where the policy acts elsewhere (a collector or an env server runs what Export gave), TakeChoices
// stands in place of Act, after TakeMemories; from one Update to the next it is always the one or
// always the other.
//
// No torch type appears here; what LibTorch throws comes back as a Status. One thread at a time.
// To add one: a new file with a MakeX(), a message in LearnerConfig, and a line in registry.cc.
#ifndef HIVEWIRE_POLICY_ALGORITHM_H_
#define HIVEWIRE_POLICY_ALGORITHM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/action_space.h"
#include "policy/actor.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/observation_leaf.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

// What the algorithm has to know of the envs.
struct Problem {
  int num_lanes = 0;
  int observation_dim = 0;
  ActionSpace action;
  // In the order of the row.
  std::vector<ObservationLeaf> observation_leaves = {};
  // Return at which the env counts as solved, where its spec says one.
  std::optional<double> reward_threshold = {};
};

// What an exported policy chose in one step of each lane of a range, in order.
struct Choices {
  // (count, observation_dim), normalised.
  absl::Span<const float> observations;
  // (count, action.row_bytes()), as they were drawn: not clipped to the box.
  absl::Span<const char> actions;
  // (count), by the policy at that step.
  absl::Span<const float> log_probs;
};

// A scalar under its TensorBoard tag.
struct Statistic {
  std::string tag;
  double value = 0;
};

class Algorithm : public Actor {
 public:
  // The policy as it is now, as data: networks and head. Normaliser, leaves and version are the
  // caller's to add. UNIMPLEMENTED where it cannot travel.
  virtual absl::StatusOr<v1::Policy> Export() const {
    return absl::UnimplementedError("the policy of this algorithm cannot act elsewhere");
  }
  // Takes over what the policy of Export chose elsewhere. INVALID_ARGUMENT for a choice that is
  // none, and then nothing is taken over.
  virtual absl::Status TakeChoices(LaneRange, const Choices&) {
    return absl::UnimplementedError("this algorithm learns only from actions of its own");
  }

  // Before the first TakeChoices after an Update: row k of all ranges is, until the next one, lane
  // lanes[k] of the run, of which the policy of Export remembered row k of `memory`,
  // (lanes.size(), memory_width). INVALID_ARGUMENT for a memory of another width.
  virtual absl::Status TakeMemories(absl::Span<const int>, absl::Span<const float> memory) {
    return memory.empty()
               ? absl::OkStatus()
               : absl::InvalidArgumentError("this algorithm's policies remember nothing");
  }

  // From now on learns together with the same algorithm in the other ranks, from as many lanes
  // each; takes over rank 0's weights. Updates then wait for each other, and fail once a rank is
  // lost. `ranks` outlives the algorithm. UNIMPLEMENTED where it learns alone.
  virtual absl::Status LearnWith(Ranks&) {
    return absl::UnimplementedError("this algorithm learns in one rank alone");
  }

  // Learns from what was recorded; lanes may have taken different numbers of steps where a run
  // ends. `progress` is the share of the run, 0 … 1, that was over before these steps.
  virtual absl::StatusOr<std::vector<Statistic>> Update(double progress) = 0;

  // What the policy remembers of a lane during an episode: so many numbers, all 0 where one starts.
  virtual int memory_width() const { return 0; }

  // The most likely action for each row, any number of rows; changes nothing but `memory`,
  // (rows, memory_width), which takes in what each saw.
  virtual absl::Status ActGreedily(absl::Span<const float> observations, absl::Span<float> memory,
                                   absl::Span<char> actions) const = 0;
  // The same with actions that are drawn as in training, by `seed` alone.
  virtual absl::Status ActBySampling(absl::Span<const float>, absl::Span<float>, absl::Span<char>,
                                     uint64_t) const {
    return absl::UnimplementedError("the policy of this algorithm draws no actions");
  }

  // Weights, optimiser state and random state, each under its own prefix.
  virtual absl::Status Save(TensorMap& tensors) const = 0;
  // DATA_LOSS or FAILED_PRECONDITION names the tensor that is missing or of another shape; the
  // algorithm is then not to be used.
  virtual absl::Status Load(const TensorMap& tensors) = 0;
  // The same of the networks alone: optimisers and random state stay those of a new run.
  virtual absl::Status LoadWeights(const TensorMap&) {
    return absl::UnimplementedError("this algorithm begins with weights of its own");
  }
};

// The algorithm that `config` asks for. INVALID_ARGUMENT names the field.
absl::StatusOr<std::unique_ptr<Algorithm>> MakeAlgorithm(const v1::LearnerConfig& config,
                                                         const Problem& problem);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_ALGORITHM_H_
