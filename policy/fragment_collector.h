// Collects by giving the policy away and taking in what it did: from the learner's own process
// (EmbeddedSource) or from collectors elsewhere.
//
// Each Collect puts the policy as it is then, weights and observation normaliser, in force under
// the next version. The normaliser stands still while that policy acts, and takes in what was seen
// afterwards; the first `collection.init_random_frames` frames are by random actions and teach
// nobody but the normaliser.
//
// What the algorithm is told does not depend on how lanes were shared out over collectors, as long
// as all of them were in step.
//
// Of several ranks each collects with lanes of its own; normalisers know what all of them saw, and
// frames are counted over all.
#ifndef HIVEWIRE_POLICY_FRAGMENT_COLLECTOR_H_
#define HIVEWIRE_POLICY_FRAGMENT_COLLECTOR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/algorithm.h"
#include "policy/collector_interface.h"
#include "policy/collector_state.h"
#include "policy/experience.h"
#include "policy/fragment_source.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

class FragmentCollector : public Collector {
 public:
  // All outlive the collector. `ranks` is null where there is but one; else `config` is of this
  // rank's lanes, and of as many as every other rank has.
  FragmentCollector(FragmentSource& source, Algorithm& algorithm, const v1::LearnerConfig& config,
                    Ranks* ranks = nullptr);

  absl::Status Start(uint64_t seed) override;
  absl::StatusOr<int64_t> Collect(int64_t max_frames) override;
  int64_t losses() const override { return source_.losses(); }
  std::vector<EpisodeSummary> TakeEpisodes() override;
  int64_t TakeFaults() override;
  std::vector<Statistic> statistics() const override { return source_.statistics(); }
  ObservationNormalizer* observation_normalizer() override { return normalizers_.observation(); }
  void Finish() override { source_.Finish(); }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  // Gathers by `policy`, as its next version, on all ranks; at most `max_frames` of it count.
  // Observations are normalised as the policy saw them, and the normaliser knows them.
  absl::StatusOr<int64_t> Gather(v1::Policy policy, int64_t max_frames, Experience& experience);
  // This rank's part, of `frames` at most; how many it is.
  absl::StatusOr<int64_t> GatherOwn(v1::Policy policy, int64_t frames, Experience& experience);
  absl::Status Normalize(Experience& experience, int64_t own_frames);
  absl::Status Record(Experience& experience, int64_t own_frames);
  // This rank's part of `frames` that the run still wants.
  int64_t OwnPart(int64_t frames) const;

  FragmentSource& source_;
  Algorithm& algorithm_;
  Ranks* const ranks_;
  const int64_t num_lanes_;
  Normalizers normalizers_;
  // Frames of random actions that are still to come, over all ranks.
  int64_t random_frames_;
  // The normaliser learns from random actions alone.
  const bool fixed_normalizer_;
  uint64_t version_ = 0;              // of the policy published last
  std::vector<uint8_t> ended_badly_;  // by lane: its last step was a fault
  std::vector<uint8_t> seen_;
  int64_t own_frames_ = 0;  // of the last Gather
  std::vector<EpisodeSummary> episodes_;
  int64_t faults_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_FRAGMENT_COLLECTOR_H_
