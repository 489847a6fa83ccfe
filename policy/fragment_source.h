// Where experience by an exported policy comes from: lanes that this process steps, or collectors
// elsewhere. A FragmentCollector makes an algorithm learn from it.
//
// Who calls whom: Start, or Load, once; then Gather for each version of the policy. Save is called
// between two Gathers. One thread at a time.
#ifndef HIVEWIRE_POLICY_FRAGMENT_SOURCE_H_
#define HIVEWIRE_POLICY_FRAGMENT_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/algorithm.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/experience.h"

namespace hivewire {

class FragmentSource {
 public:
  virtual ~FragmentSource() = default;

  // What the algorithm sees of all lanes.
  virtual const Problem& problem() const = 0;
  // Parts of what an exported policy says of itself: the action leaf as lanes take it, and the
  // names of what it is shown.
  virtual const v1::LeafSpec& action_leaf() const = 0;
  virtual std::vector<std::string> observation_leaves() const { return {"observation"}; }

  // Starts an episode in every lane.
  virtual absl::Status Start(uint64_t seed) = 0;

  // Puts `policy`, of a higher version than any before, in force, and returns what has come by it:
  // `steps` steps, or more where collectors choose their own number, of all lanes or, where some
  // are lost, of the others; never none. Asynchronous collectors may still have used versions
  // before it. CANCELLED once the run is asked to stop.
  virtual absl::StatusOr<std::vector<Experience>> Gather(const v1::Policy& policy, int steps) = 0;

  // Nothing with a step by this version, or one before it, is to come any more.
  virtual void DropUpTo(uint64_t) {}

  // How often lanes were lost, with their servers or their collectors.
  virtual int64_t losses() const = 0;
  // Of the last Gather.
  virtual std::vector<Statistic> statistics() const { return {}; }

  // The run is over: collectors stop.
  virtual void Finish() {}

  // What the lanes go on from; with `env_state` the envs' own state too.
  virtual absl::Status Save(bool env_state, TensorMap& tensors) = 0;
  // In place of Start; where lanes cannot go on, `env_state_lost` says why, and new episodes start
  // by `seed`.
  virtual absl::Status Load(const TensorMap& tensors, uint64_t seed,
                            absl::Status& env_state_lost) = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_FRAGMENT_SOURCE_H_
