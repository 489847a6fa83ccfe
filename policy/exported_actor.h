// An Actor that runs a policy which somebody else learns, and keeps what comes of it as experience:
// the part of a collector that is the same in a learner's own process and in one of its own.
//
// A lane's random numbers are a function of (seed, the lane's number in the run, how many steps the
// lane has taken), and a row's action of its observation, what the lane remembers and these alone.
// So it makes no difference which lanes are collected together, nor by how many collectors.
//
// Observations and rewards come raw: the policy has its own normaliser. One thread at a time.
#ifndef HIVEWIRE_POLICY_EXPORTED_ACTOR_H_
#define HIVEWIRE_POLICY_EXPORTED_ACTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "policy/acting_policy.h"
#include "policy/action_space.h"
#include "policy/actor.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/experience.h"

namespace hivewire {

// A seed of the policy's randomness that follows from the run's: for lanes that are given to a
// collector for the nth time, counted from 0; for an env server.
uint64_t PolicySeed(uint64_t run_seed, uint64_t nth);

class ExportedActor : public Actor {
 public:
  using PolicyPointer = std::shared_ptr<const ActingPolicy>;

  // Lanes first_lane … first_lane + num_lanes − 1 of the run; here they are 0 … num_lanes − 1.
  ExportedActor(const ActionSpace& action, int observation_dim, int first_lane, int num_lanes,
                uint64_t seed);

  // The next experience: `steps` steps of each lane. `policy` is asked before each choice.
  void Begin(int steps, std::function<PolicyPointer()> policy);

  absl::Status Act(LaneRange lanes, absl::Span<const float> observations,
                   absl::Span<char> actions) override;
  absl::Status Record(LaneRange lanes, const Transitions& transitions) override;
  void StartEpisodes(LaneRange lanes) override;
  int StepsUntilUpdate() const override;

  // The lanes start new episodes without having been told of it by Record.
  void StartAnew() { fresh_ = true; }

  // What was recorded, once no step is left.
  Experience Take();

  // How many steps each lane has taken, and what it remembers. DATA_LOSS where none are kept,
  // FAILED_PRECONDITION for other lanes.
  void Save(TensorMap& tensors) const;
  absl::Status Load(const TensorMap& tensors);

 private:
  // Makes room for what a policy remembers: nothing, where the one before was of another kind.
  void RememberAs(const PortablePolicy& policy);
  absl::Span<float> MemoryOf(LaneRange lanes);

  const ActionSpace action_;
  const int first_lane_;
  const uint64_t seed_;
  std::function<PolicyPointer()> policy_;
  Experience experience_;
  bool fresh_ = true;  // the next experience starts anew
  // By lane: steps since Begin, and ever.
  std::vector<int> steps_;
  std::vector<uint64_t> steps_ever_;
  // (lanes, width), where the policy remembers.
  std::vector<float> memory_;
  PolicyScratch scratch_;
  std::vector<Draw> draws_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_EXPORTED_ACTOR_H_
