// Collects by sending the policy to the env servers and receiving what it did there: no step waits
// for the network.
//
// In step with learning, so that every update learns from its own policy alone: Collect publishes
// the policy as it is (weights and observation normaliser), asks each server for as many steps of
// each lane as the algorithm wants, and the lanes stand still from there to the next Collect. What
// comes is checked to be of that version. Log-probabilities and values are the server's.
//
// Two things differ from StepCollector. The observation normaliser stands still during a fragment,
// since it is part of the policy: it takes in the fragment's observations afterwards; the first
// policy sees observations as they are. And random actions are drawn by the servers, by a seed that
// follows from the run's and the policy's version.
//
// Where a server loses its pool, that server's lanes collect anew from new episodes; what had come
// of them for this update is dropped.
#ifndef HIVEWIRE_POLICY_REMOTE_POLICY_COLLECTOR_H_
#define HIVEWIRE_POLICY_REMOTE_POLICY_COLLECTOR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/fragment.h"
#include "client/vector_rollout.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/algorithm.h"
#include "policy/collector_interface.h"
#include "policy/collector_state.h"
#include "policy/observation.h"

namespace hivewire {

class RemotePolicyCollector : public Collector {
 public:
  // Both outlive the collector.
  RemotePolicyCollector(VectorRollout& rollout, Algorithm& algorithm, const ActionSpace& action,
                        const v1::LearnerConfig& config);

  absl::Status Start(uint64_t seed) override;
  absl::StatusOr<int64_t> Collect(int64_t max_frames) override;
  int64_t losses() const override { return losses_; }
  std::vector<EpisodeSummary> TakeEpisodes() override;
  int64_t TakeFaults() override;
  ObservationNormalizer* observation_normalizer() override { return normalizers_.observation(); }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  // The next version of the policy.
  absl::StatusOr<v1::Policy> NextPolicy();
  // Publishes to server k and asks it for `steps` steps of each lane.
  absl::Status Begin(int k, const v1::Policy& policy, int steps);
  // Waits for all of them.
  absl::Status Gather(int k, int steps);
  // After server k lost its pool.
  absl::Status Renew(int k);
  // Copies the fragment's lanes that have not come yet.
  absl::Status Take(int k, int steps, const Fragment& fragment);
  // Normalises what has come, and hands it to the algorithm: `frames` steps of single lanes.
  absl::Status Record(int steps, int64_t frames);

  size_t Row(int step, int lane) const {
    return static_cast<size_t>(step) * static_cast<size_t>(rollout_.num_envs()) +
           static_cast<size_t>(lane);
  }

  VectorRollout& rollout_;
  Algorithm& algorithm_;
  const ActionSpace action_;
  const ObservationFlattener flattener_;
  const uint64_t run_seed_;
  const absl::Duration step_timeout_;
  Normalizers normalizers_;
  uint64_t version_ = 0;  // of the policy published last
  uint64_t seed_ = 0;
  int64_t losses_ = 0;

  // What came of the lanes in this Collect, by Row(step, lane); observations and values have a row
  // of lanes more, for what comes after the last step.
  std::vector<float> observations_;
  std::vector<char> actions_;
  std::vector<float> log_probs_;
  std::vector<float> values_;
  std::vector<float> rewards_;
  std::vector<uint8_t> terminated_;
  std::vector<uint8_t> truncated_;
  std::vector<uint8_t> valid_;
  std::vector<uint8_t> fault_;
  // Of a fragment, or of a collection: which observations show something.
  std::vector<uint8_t> seen_;
  std::vector<float> flat_;
  std::vector<uint8_t> come_;         // by lane
  std::vector<uint8_t> ended_badly_;  // by lane: its last step was a fault
  std::vector<EpisodeSummary> episodes_;
  int64_t faults_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_REMOTE_POLICY_COLLECTOR_H_
