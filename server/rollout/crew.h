// A crew: a few lanes that are stepped together, so that the policy is evaluated for all of them at
// once.
//
// Run takes steps until the fragment is full, until there is no more room for what they gave, or
// until others should have the worker; what they gave is `staged`, for whoever runs the crew to
// take away. A step of a crew: look whether there is a new policy, evaluate it on the lanes' last
// observations, then step one lane after the other.
//
// One thread at a time. A Run that was given up (workers.h) keeps its crew for itself; Successor
// makes one that goes on in its place, with copies of all that it may still touch.
#ifndef HIVEWIRE_SERVER_ROLLOUT_CREW_H_
#define HIVEWIRE_SERVER_ROLLOUT_CREW_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hivewire/v1/control.pb.h"
#include "server/pool/lane.h"
#include "server/pool/pool_spec.h"
#include "server/pool/workers.h"
#include "server/rollout/fragment_layout.h"
#include "server/rollout/policy_slot.h"

namespace hivewire {

// What all crews of a rollout share. Kept alive by them: a step that was given up may outlive the
// rollout and the pool.
struct CrewSetting {
  CrewSetting(const PoolSpec& given, size_t length, bool has_values)
      : spec(given), layout(given, length, has_values) {}

  std::shared_ptr<const void> stage;  // of the pool: keeps spec, runners and lanes
  const PoolSpec& spec;
  const FragmentLayout layout;
  std::shared_ptr<const PolicySlot> slot;
  uint64_t seed = 0;
  bool deterministic = false;
  // By worker: what it steps lanes with, and where it evaluates policies.
  struct Place {
    LaneRunner* runner = nullptr;
    PolicyScratch policy, final_value;
    std::vector<Draw> draws;
  };
  std::vector<Place> places;
  // Steps between two looks at `staged`, at most.
  size_t max_staged = 1;
  std::atomic<bool> stopping{false};
};

// What some steps of a crew gave.
struct StagedSteps {
  size_t steps = 0;
  // By leaf of the fragment's payload: (steps, lanes, row_bytes).
  std::vector<std::vector<char>> leaves;
  struct Ended {
    size_t step, lane;
    v1::Episode episode;
  };
  std::vector<Ended> ended;  // the first num_ended; the others keep their memory
  size_t num_ended = 0;
  struct Final {
    size_t step, lane;
    float value;
  };
  std::vector<Final> finals;
  std::vector<char> final_rows;  // final leaves of each of `finals`, one after the other
  struct Fault {
    size_t lane;
    absl::Status status;
  };
  std::vector<Fault> faults;
  absl::Status policy_error;
  // Where the fragment is full: (lanes) values of the last observations.
  bool is_last = false;
  std::vector<float> last_values;
  uint64_t operations = 0, resets = 0, num_faults = 0;
  int64_t busy_ns = 0;

  void Clear();
};

class Crew {
 public:
  // Of lanes `first`, `first` + 1, …; `op_nos` are the numbers of their last operations.
  Crew(std::shared_ptr<CrewSetting> setting, uint32_t first, std::vector<Lane*> lanes,
       std::vector<uint64_t> op_nos);

  uint32_t first() const { return first_; }
  size_t size() const { return lanes_.size(); }
  const Lane& lane(size_t n) const { return *lanes_[n]; }
  uint64_t op_no(size_t n) const { return op_nos_[n]; }

  // The fragment that the next step belongs to, and its row there.
  uint64_t fragment() const { return fragment_; }
  size_t row() const { return row_; }

  // False where it was given up.
  bool Run(Workers::Turn& turn);

  const StagedSteps& staged() const { return staged_; }
  // They were taken away.
  void ClearStaged();

  // After Run was given up: whether a lane is to blame. To be asked first: what was staged before
  // that lane's step can be read from then on.
  bool HasHungLane() const { return running_.load(std::memory_order_acquire) != kNone; }
  // After Run was given up. `lanes` become the lanes of a crew that goes on where this one hung:
  // copies, but for the lane that hung, which failed with `status` and goes on from its seed.
  // What is staged stays here: the steps that all lanes took.
  std::shared_ptr<Crew> Successor(const absl::Status& status,
                                  std::vector<std::unique_ptr<Lane>>& lanes) const;

 private:
  bool ResetLanes(CrewSetting::Place& place, Workers::Turn& turn);
  bool Step(CrewSetting::Place& place, Workers::Turn& turn);
  void Observe(CrewSetting::Place& place);
  void StepLane(CrewSetting::Place& place, size_t n);
  void StageResult(CrewSetting::Place& place, size_t n);
  void StageFault(size_t n);
  void StageFinal(CrewSetting::Place& place, size_t n);
  void StageLast(CrewSetting::Place& place);
  void TakeOverEvents(const StagedSteps& before);
  void StageHung(size_t n);
  char* Staged(size_t leaf, size_t n) {
    const size_t bytes = setting_->layout.payload().row_bytes(leaf);
    return staged_.leaves[leaf].data() + (staged_.steps * size() + n) * bytes;
  }
  absl::Status PolicyError() const;

  const std::shared_ptr<CrewSetting> setting_;
  const uint32_t first_;
  const std::vector<Lane*> lanes_;
  std::vector<uint64_t> op_nos_;
  uint64_t fragment_ = 0;
  size_t row_ = 0;
  std::shared_ptr<const RolloutPolicy> policy_;
  uint64_t generation_ = 0;

  // Within a step: the lane whose turn it is (those before are staged), and the first lane of this
  // evaluation of the policy.
  size_t next_ = 0;
  size_t first_evaluated_ = 0;
  // For Successor, while a lane runs: that lane, and whether it is being reset. What was written
  // before can then be read.
  static constexpr int kNone = -1;
  std::atomic<int> running_{kNone};
  bool resetting_ = false;
  std::vector<LaneOrigin> origins_;  // by lane
  std::vector<char> action_;         // one lane's leaves, without gaps
  std::vector<size_t> action_offsets_;
  StagedSteps staged_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_CREW_H_
