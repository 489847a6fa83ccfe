#include "policy/collector_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/vector_env.h"
#include "policy/ranks/moments.h"

namespace hivewire {
namespace {

constexpr char kRewardMoments[] = "normalizer.reward";

std::string EnvStateName(size_t lane) { return absl::StrCat("env_state.", lane); }

}  // namespace

Normalizers::Normalizers(const v1::LearnerConfig& config, int observation_dim, int num_lanes)
    : reward_scale_(config.normalization().reward_scale()) {
  const v1::NormalizationConfig& normalization = config.normalization();
  if (normalization.observation()) {
    observation_ =
        std::make_unique<ObservationNormalizer>(observation_dim, normalization.observation_clip());
  }
  if (normalization.reward()) {
    reward_ = std::make_unique<RewardNormalizer>(num_lanes, config.ppo().gamma(),
                                                 normalization.reward_clip());
  }
}

void Normalizers::NormalizeRewards(int first_lane, absl::Span<float> rewards,
                                   absl::Span<const uint8_t> valid,
                                   absl::Span<const uint8_t> terminated,
                                   absl::Span<const uint8_t> truncated) {
  if (reward_scale_ != 1) {
    for (float& reward : rewards) reward = static_cast<float>(reward * reward_scale_);
  }
  if (reward_ == nullptr) return;
  reward_->Normalize(first_lane, rewards, valid, terminated, truncated);
}

void Normalizers::StartAnew(int first_lane, int count) {
  if (reward_ == nullptr) return;
  std::vector<float> none(static_cast<size_t>(count));
  const std::vector<uint8_t> no(none.size());
  reward_->Normalize(first_lane, absl::MakeSpan(none), no, no, no);
}

void Normalizers::BeginSharing() {
  if (reward_ != nullptr) reward_->BeginSharing();
}

absl::Status Normalizers::EndSharing(Ranks& ranks) {
  if (reward_ == nullptr) return absl::OkStatus();
  RunningMoments all = reward_->before();
  absl::Status status = MergeOverRanks(ranks, reward_->added(), all);
  reward_->EndSharing(std::move(all));
  return status;
}

void Normalizers::Save(TensorMap& tensors) const {
  if (observation_ != nullptr) observation_->moments().Save(kObservationMoments, tensors);
  if (reward_ != nullptr) reward_->Save(kRewardMoments, tensors);
}

absl::Status Normalizers::Load(const TensorMap& tensors) {
  absl::Status status;
  if (observation_ != nullptr) status = observation_->moments().Load(kObservationMoments, tensors);
  if (status.ok() && reward_ != nullptr) status = reward_->Load(kRewardMoments, tensors);
  return status;
}

absl::Status SaveEnvStates(const absl::StatusOr<std::vector<std::string>>& snapshots,
                           TensorMap& tensors) {
  if (PoolsAreGone(snapshots.status())) return absl::OkStatus();
  if (!snapshots.ok()) return snapshots.status();
  for (size_t lane = 0; lane < snapshots->size(); ++lane) {
    tensors.PutBytes(EnvStateName(lane), (*snapshots)[lane]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> LoadEnvStates(const TensorMap& tensors, int num_lanes) {
  std::vector<std::string> snapshots;
  for (size_t lane = 0; lane < static_cast<size_t>(num_lanes); ++lane) {
    absl::StatusOr<std::string> snapshot = tensors.GetBytes(EnvStateName(lane));
    if (!snapshot.ok()) return snapshot.status();
    snapshots.push_back(*std::move(snapshot));
  }
  return snapshots;
}

}  // namespace hivewire
