// What every collector makes, keeps in checkpoints and takes back: normalisers as the configuration
// asks for them, and the envs' own states.
//
// Plain values and functions; not thread-safe.
#ifndef HIVEWIRE_POLICY_COLLECTOR_STATE_H_
#define HIVEWIRE_POLICY_COLLECTOR_STATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/normalizer.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

// Where the observation normaliser lies in a checkpoint.
inline constexpr char kObservationMoments[] = "normalizer.observation";

class Normalizers {
 public:
  Normalizers(const v1::LearnerConfig& config, int observation_dim, int num_lanes);

  // Null where observations are not normalised.
  ObservationNormalizer* observation() { return observation_.get(); }
  const ObservationNormalizer* observation() const { return observation_.get(); }

  // Rewards of lanes first_lane … in place: scaled, then as RewardNormalizer does it.
  void NormalizeRewards(int first_lane, absl::Span<float> rewards, absl::Span<const uint8_t> valid,
                        absl::Span<const uint8_t> terminated, absl::Span<const uint8_t> truncated);
  // Returns of these lanes do not reach across what happens now.
  void StartAnew(int first_lane, int count);

  // Rewards that several ranks normalise between these calls count for all of them afterwards.
  void BeginSharing();
  absl::Status EndSharing(Ranks& ranks);

  void Save(TensorMap& tensors) const;
  absl::Status Load(const TensorMap& tensors);

 private:
  std::unique_ptr<ObservationNormalizer> observation_;
  std::unique_ptr<RewardNormalizer> reward_;
  double reward_scale_;
};

// Keeps the lanes' snapshots. Where the pools are gone none is kept: what is resumed from there
// starts new episodes, as the run that saves is about to.
absl::Status SaveEnvStates(const absl::StatusOr<std::vector<std::string>>& snapshots,
                           TensorMap& tensors);
// One a lane; DATA_LOSS where none were kept.
absl::StatusOr<std::vector<std::string>> LoadEnvStates(const TensorMap& tensors, int num_lanes);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_COLLECTOR_STATE_H_
