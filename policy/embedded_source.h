// Lanes that this process steps by itself: the collector that a learner has where it is told of no
// other.
#ifndef HIVEWIRE_POLICY_EMBEDDED_SOURCE_H_
#define HIVEWIRE_POLICY_EMBEDDED_SOURCE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/vector_env.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/exported_actor.h"
#include "policy/fragment_source.h"
#include "policy/step_collector.h"

namespace hivewire {

// `config` for a StepCollector whose actor sees observations and rewards as they are.
v1::LearnerConfig RawCollection(const v1::LearnerConfig& config);

class EmbeddedSource : public FragmentSource {
 public:
  // `env` outlives the source.
  EmbeddedSource(VectorEnv& env, const Problem& problem, const v1::LearnerConfig& config,
                 std::unique_ptr<Observations> observations);

  const Problem& problem() const override { return problem_; }
  const v1::LeafSpec& action_leaf() const override { return action_leaf_; }
  absl::Status Start(uint64_t seed) override { return collector_.Start(seed); }
  absl::StatusOr<std::vector<Experience>> Gather(const v1::Policy& policy, int steps) override;
  int64_t losses() const override { return collector_.losses(); }
  std::vector<Statistic> statistics() const override { return collector_.statistics(); }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  const Problem problem_;
  v1::LeafSpec action_leaf_;
  ExportedActor actor_;
  StepCollector collector_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_EMBEDDED_SOURCE_H_
