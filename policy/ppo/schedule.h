// Coefficients of PPO that change over a run.
//
// Plain values; not thread-safe.
#ifndef HIVEWIRE_POLICY_PPO_SCHEDULE_H_
#define HIVEWIRE_POLICY_PPO_SCHEDULE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

class LearningRate {
 public:
  explicit LearningRate(const v1::PpoConfig& config);

  // Of the update that begins now; `progress` is the share of the run that is over, 0 … 1.
  void BeginUpdate(double progress);
  // After each minibatch, with the divergence that it found.
  void Observe(double approx_kl);
  double value() const { return value_; }

  // What does not follow from the progress.
  void Save(const std::string& name, TensorMap& tensors) const;
  // A checkpoint that lacks it stands for a run that had no such schedule.
  absl::Status Load(const std::string& name, const TensorMap& tensors);

 private:
  v1::PpoConfig config_;
  // Of "exponential" and "kl-adaptive": where the last update left it.
  double kept_;
  double value_;
};

double EntropyCoefficient(const v1::PpoConfig& config, double progress);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PPO_SCHEDULE_H_
