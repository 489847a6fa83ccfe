// A Collector makes an algorithm's policy act in the lanes of an env, and hands the algorithm what
// comes of it: the seam between training and where the policy runs.
//
// Who calls whom: the trainer calls Start, or Load, once; then Collect, and after each the
// algorithm's Update. Save is called between an Update and the next Collect.
//
// Where the servers lose the pools (they were restarted, say), the collector makes new ones. Each
// lane's fragment then ends at a result that came, its last observation is bootstrapped, and
// nothing that happened is recorded twice.
//
// One thread at a time. After any other error from the envs the collector is finished.
#ifndef HIVEWIRE_POLICY_COLLECTOR_INTERFACE_H_
#define HIVEWIRE_POLICY_COLLECTOR_INTERFACE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/algorithm.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/experience.h"
#include "policy/normalizer.h"

namespace hivewire {

class Collector {
 public:
  virtual ~Collector() = default;

  // Starts an episode in every lane.
  virtual absl::Status Start(uint64_t seed) = 0;

  // Steps lanes until the algorithm can update, or exactly `max_frames` steps of single lanes were
  // taken; returns how many. CANCELLED where it waited and the run was asked to stop.
  virtual absl::StatusOr<int64_t> Collect(int64_t max_frames) = 0;

  // How often the servers lost the pools.
  virtual int64_t losses() const = 0;
  // Episodes that ended since the last call, and lane faults.
  virtual std::vector<EpisodeSummary> TakeEpisodes() = 0;
  virtual int64_t TakeFaults() = 0;
  // Of the last Collect.
  virtual std::vector<Statistic> statistics() const { return {}; }

  // The run is over: nothing more is collected.
  virtual void Finish() {}

  // Null where observations are not normalised.
  virtual ObservationNormalizer* observation_normalizer() = 0;

  // Normalisers and what the lanes go on from; with `env_state` the envs' own state too.
  virtual absl::Status Save(bool env_state, TensorMap& tensors) = 0;
  // In place of Start. Without a kept env state, or where the server cannot take it (then
  // `env_state_lost` says why), new episodes start by `seed`.
  virtual absl::Status Load(const TensorMap& tensors, uint64_t seed,
                            absl::Status& env_state_lost) = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_COLLECTOR_INTERFACE_H_
