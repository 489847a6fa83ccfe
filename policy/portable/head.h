// A head turns the outputs of a policy's network into an action: what each v1::ActionHead says.
//
// Immutable once made; thread-safe.
#ifndef HIVEWIRE_POLICY_PORTABLE_HEAD_H_
#define HIVEWIRE_POLICY_PORTABLE_HEAD_H_

#include <cmath>
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

  // A sample, or without `rng` what is most likely (policy.proto says more of Beta's). `chosen` and
  // `sent` are (dim): what log_prob is of, and what the env gets (clip_to_box); choices are the
  // env's own integers. Returns log_prob. Numbers that are not finite come out where the outputs
  // are not, or are too large to be worked with.
  float Choose(const float* outputs, CounterRng* rng, double* chosen, double* sent) const;

 private:
  float ChooseGaussian(const float* outputs, CounterRng* rng, double* chosen, double* sent) const;
  float ChooseTanhGaussian(const float* outputs, CounterRng* rng, double* chosen) const;
  float ChooseBeta(const float* outputs, CounterRng* rng, double* chosen) const;
  // Element k's, less 1 each.
  struct BetaShapes {
    double alpha_less_1, beta_less_1;
  };
  BetaShapes ShapesOf(const float* outputs, size_t k) const;
  float ChooseCategories(const float* logits, CounterRng* rng, double* chosen) const;
  float LogStd(const float* outputs, size_t k) const {
    if (!log_std_.empty()) return log_std_[k];
    const float x = outputs[dim_ + k];
    if (state_half_ == 0) return x;
    return state_middle_ + state_half_ * std::tanh((x - state_middle_) / state_half_);
  }

  absl::Status AddBoxes(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action,
                        bool must_be_finite);
  absl::Status AddParts(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action);

  v1::ActionHead::Kind kind_ = v1::ActionHead::KIND_UNSPECIFIED;
  size_t dim_ = 0;
  // Boxes, (dim).
  std::vector<float> log_std_, std_;  // empty where the network gives them
  // What the network's log_std is squashed to; half 0: as it is.
  float state_middle_ = 0, state_half_ = 0;
  std::vector<float> beta_spread_;  // empty where the network gives both shapes
  bool clip_ = false;
  std::vector<float> low_, high_;
  // Choices, (dim).
  std::vector<size_t> parts_;
  std::vector<double> starts_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_HEAD_H_
