// Lanes of env servers that run the policy themselves: no step waits for the network.
//
// In step with learning, so that every update learns from its own policy alone: Gather publishes
// the policy, asks each server for as many steps of each lane, and the lanes stand still from there
// to the next Gather. What comes is checked to be of that version.
//
// Random actions are drawn by the servers, by a seed that follows from the run's, the policy's
// version and which server it is: results are those of no other source.
//
// Where a server loses its pool, that server's lanes begin new episodes; what had come of them for
// this policy is dropped.
#ifndef HIVEWIRE_POLICY_REMOTE_POLICY_SOURCE_H_
#define HIVEWIRE_POLICY_REMOTE_POLICY_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/fragment.h"
#include "client/vector_rollout.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/fragment_source.h"
#include "policy/observation.h"

namespace hivewire {

class RemotePolicySource : public FragmentSource {
 public:
  // `rollout` outlives the source.
  RemotePolicySource(VectorRollout& rollout, const Problem& problem,
                     const v1::LearnerConfig& config);

  const Problem& problem() const override { return problem_; }
  const v1::LeafSpec& action_leaf() const override { return action_leaf_; }
  // As the servers call them: nobody joins them there.
  std::vector<std::string> observation_leaves() const override;
  absl::Status Start(uint64_t seed) override;
  absl::StatusOr<std::vector<Experience>> Gather(const v1::Policy& policy, int steps) override;
  int64_t losses() const override { return losses_; }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  // A server's lanes.
  struct Part {
    Experience experience;
    std::vector<uint8_t> come;  // by lane
    bool fresh = true;          // its lanes start new episodes
  };

  // Publishes to server k and asks it for `steps` steps of each lane.
  absl::Status Begin(int k, const v1::Policy& policy, int steps);
  // Waits for all of them.
  absl::Status Receive(int k, uint64_t version, int steps);
  // After server k lost its pool.
  absl::Status Renew(int k);
  // Copies the fragment's lanes that have not come yet.
  absl::Status Take(const Fragment& fragment, uint64_t version, Part& part);

  VectorRollout& rollout_;
  const Problem problem_;
  v1::LeafSpec action_leaf_;
  const ObservationFlattener flattener_;
  const uint64_t run_seed_;
  const absl::Duration step_timeout_;
  uint64_t seed_ = 0;  // of the episodes
  int64_t losses_ = 0;
  std::vector<Part> parts_;  // by server
  std::vector<float> flat_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_REMOTE_POLICY_SOURCE_H_
