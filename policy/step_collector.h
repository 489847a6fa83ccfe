// Collects by stepping a VectorEnv: the policy runs in this process, a learner's or a collector's.
//
// With two groups of lanes the policy chooses actions for one while the server steps the other. The
// groups take turns in a fixed order, so results do not depend on timing; they do depend on the
// number of groups.
//
// Where the pools are lost, the step whose result was lost, or the next one where none was under
// way, is recorded as none (not valid).
//
// Its statistics say where the time of the last Collect went, in seconds: charts/wait_seconds for
// the envs' results, charts/observe_seconds on transforms and normalisers, charts/act_seconds on
// the policy.
#ifndef HIVEWIRE_POLICY_STEP_COLLECTOR_H_
#define HIVEWIRE_POLICY_STEP_COLLECTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/vector_env.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/action_space.h"
#include "policy/actor.h"
#include "policy/collector_interface.h"
#include "policy/collector_state.h"
#include "policy/transforms/observations.h"

namespace hivewire {

class StepCollector : public Collector {
 public:
  // `observations`: what the actor is shown of the env's lanes. The others outlive the collector.
  StepCollector(VectorEnv& env, Actor& actor, const ActionSpace& action,
                const v1::LearnerConfig& config, std::unique_ptr<Observations> observations);

  absl::Status Start(uint64_t seed) override;
  absl::StatusOr<int64_t> Collect(int64_t max_frames) override;
  int64_t losses() const override { return losses_; }
  std::vector<EpisodeSummary> TakeEpisodes() override;
  int64_t TakeFaults() override;
  std::vector<Statistic> statistics() const override;
  ObservationNormalizer* observation_normalizer() override { return normalizers_.observation(); }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  // Lanes that are stepped as one.
  struct Group {
    LaneRange lanes;
    // Lanes of it that are being stepped now; 0 for none.
    int in_flight = 0;
    // Its result has come, before its turn.
    bool arrived = false;
    // Its lanes stand at the start of new episodes, and the algorithm does not know yet.
    bool restarted = false;
    StepResult result;
    std::vector<uint32_t> env_ids;
    std::vector<char> actions;
  };

  struct Times {
    absl::Duration wait;
    absl::Duration observe;
    absl::Duration act;
  };

  absl::Status Send(Group& group, int count);
  // Waits for the group's result and records it.
  absl::Status Finish(Group& group);
  absl::Status Await(Group& group);
  // Resets all lanes, in new pools where `renew`; again should the servers lose them meanwhile.
  absl::Status StartEpisodes(uint64_t seed, StepResult& result, bool renew);
  // After the pools were lost: new ones, and episodes that the groups learn of when they are next
  // seen.
  absl::Status Renew();
  // The start of the new episodes, as a result of the group's first `count` lanes.
  void TakeRestart(Group& group, int count);
  // Transforms and normalises a result's observations into observations_.
  absl::Status TakeObservations(int first_lane, const StepResult& result);
  absl::Span<float> ObservationsOf(LaneRange lanes);

  VectorEnv& env_;
  Actor& actor_;
  ActionSpace action_;
  const std::unique_ptr<Observations> shown_;
  Normalizers normalizers_;
  // Of the whole run.
  const int64_t num_lanes_;
  std::vector<Group> groups_;
  // (lanes, observation_dim), normalised: what each lane sees now.
  std::vector<float> observations_;
  StepResult scratch_;
  uint64_t seed_ = 0;
  int64_t losses_ = 0;
  StepResult restart_;  // of all lanes
  std::vector<float> rewards_;
  std::vector<uint8_t> valid_;
  std::vector<uint8_t> seen_;
  std::vector<EpisodeSummary> episodes_;
  int64_t faults_ = 0;
  Times times_;  // of the last Collect
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_STEP_COLLECTOR_H_
