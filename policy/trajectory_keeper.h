// Keeps the episodes of an evaluation, for a file that Python reads without us.
//
// One .npz file (numpy.load) holds all of them, E episodes of T steps together, lane by lane:
//   observations/LEAF                 (T + E, shape): of each episode one more than it has steps
//   actions                           (T, shape), as they were sent
//   rewards                           (T) float64
//   terminated, truncated             (T) bool
//   episode_lengths, episode_returns  (E) int64 and float64
//   episode_seeds                     (E) uint64: of the reset that the episode descends from
// Episode e's steps begin at sum(episode_lengths[:e]), its observations e rows later.
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_TRAJECTORY_KEEPER_H_
#define HIVEWIRE_POLICY_TRAJECTORY_KEEPER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/vector_env.h"
#include "hivewire/v1/spec.pb.h"
#include "policy/spectator.h"

namespace hivewire {

class TrajectoryKeeper : public Spectator {
 public:
  // `action`: the leaf as the lanes take it.
  TrajectoryKeeper(int num_lanes, const v1::LeafSpec& action);

  absl::Status Start(const StepResult& result) override;
  absl::Status Step(absl::Span<const char> actions, const StepResult& result) override;

  // The episodes that ended. FAILED_PRECONDITION where there is none.
  absl::Status Write(const std::string& path) const;

 private:
  struct Trajectory {
    std::vector<std::string> observations;  // by leaf
    std::string actions;
    std::vector<double> rewards;
    std::string terminated;
    std::string truncated;
    uint64_t seed = 0;
  };

  void Observe(const StepResult& result, int row, Trajectory& trajectory);

  const v1::LeafSpec action_;
  // By lane: episodes that ended, and the one being played.
  std::vector<std::vector<Trajectory>> ended_;
  std::vector<Trajectory> playing_;
  // Without rows: what the leaves are.
  std::vector<LeafBuffer> leaves_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRAJECTORY_KEEPER_H_
