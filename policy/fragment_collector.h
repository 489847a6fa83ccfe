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

namespace hivewire {

class FragmentCollector : public Collector {
 public:
  // Both outlive the collector.
  FragmentCollector(FragmentSource& source, Algorithm& algorithm, const v1::LearnerConfig& config);

  absl::Status Start(uint64_t seed) override;
  absl::StatusOr<int64_t> Collect(int64_t max_frames) override;
  int64_t losses() const override { return source_.losses(); }
  std::vector<EpisodeSummary> TakeEpisodes() override;
  int64_t TakeFaults() override;
  std::vector<Statistic> statistics() const override { return source_.statistics(); }
  const ObservationNormalizer* observation_normalizer() const override {
    return normalizers_.observation();
  }
  void Finish() override { source_.Finish(); }
  absl::Status Save(bool env_state, TensorMap& tensors) override;
  absl::Status Load(const TensorMap& tensors, uint64_t seed, absl::Status& env_state_lost) override;

 private:
  // Gathers by `policy`, as its next version; at most `max_frames` of it count. Observations are
  // normalised as the policy saw them, and the normaliser knows them.
  absl::StatusOr<int64_t> Gather(v1::Policy policy, int64_t max_frames, Experience& experience);
  absl::Status Record(Experience& experience, int64_t frames);

  FragmentSource& source_;
  Algorithm& algorithm_;
  const int64_t num_lanes_;
  Normalizers normalizers_;
  // Frames of random actions that are still to come.
  int64_t random_frames_;
  // The normaliser learns from random actions alone.
  const bool fixed_normalizer_;
  uint64_t version_ = 0;              // of the policy published last
  std::vector<uint8_t> ended_badly_;  // by lane: its last step was a fault
  std::vector<uint8_t> seen_;
  std::vector<EpisodeSummary> episodes_;
  int64_t faults_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_FRAGMENT_COLLECTOR_H_
