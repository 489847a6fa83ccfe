// A head turns the outputs of a policy's network into an action: what each v1::ActionHead says.
//
// Immutable once made; thread-safe.
#ifndef HIVEWIRE_POLICY_PORTABLE_HEAD_H_
#define HIVEWIRE_POLICY_PORTABLE_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/portable/counter_rng.h"

namespace hivewire {

class Head {
 public:
  // `outputs`: of the network. BAD_POLICY where head, network and action leaves do not fit, naming
  // the field.
  static absl::StatusOr<Head> Make(const v1::ActionHead& head,
                                   const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action,
                                   size_t outputs);

  // Elements of an action, over all leaves in order.
  size_t dim() const { return dim_; }

  // A sample, or without `rng` the mode. `chosen` and `sent` are (dim): what log_prob is of, and
  // what the env gets (clip_to_box); choices are the env's own integers. Returns log_prob. Numbers
  // that are not finite come out where the outputs are not, or are too large to be worked with.
  float Choose(const float* outputs, CounterRng* rng, double* chosen, double* sent) const;

 private:
  float ChooseGaussian(const float* outputs, CounterRng* rng, double* chosen, double* sent) const;
  float ChooseTanhGaussian(const float* outputs, CounterRng* rng, double* chosen) const;
  float ChooseBeta(const float* outputs, CounterRng* rng, double* chosen) const;
  float ChooseCategories(const float* logits, CounterRng* rng, double* chosen) const;
  float LogStd(const float* outputs, size_t k) const {
    return log_std_.empty() ? outputs[dim_ + k] : log_std_[k];
  }

  absl::Status AddBoxes(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action,
                        bool must_be_finite);
  absl::Status AddParts(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action);

  v1::ActionHead::Kind kind_ = v1::ActionHead::KIND_UNSPECIFIED;
  size_t dim_ = 0;
  // Boxes, (dim).
  std::vector<float> log_std_, std_;  // empty where the network gives them
  bool clip_ = false;
  std::vector<float> low_, high_;
  // Choices, (dim).
  std::vector<size_t> parts_;
  std::vector<double> starts_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_HEAD_H_
