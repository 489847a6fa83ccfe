// The standard deviations of a Gaussian: free parameters, outputs of the model beside the means, or
// fixed.
//
// A state's log-std is bounded, since nothing else keeps a network from making it so small that one
// update moves the likelihood of what was done without limit: squashed by tanh to -5 … 2, the ends
// that CleanRL's SAC has, with slope 1 in the middle. Squashed rather than clipped, a deviation at
// an end still feels which way to go.
//
// May throw what torch throws. One thread at a time.
#ifndef HIVEWIRE_POLICY_NN_DEVIATION_H_
#define HIVEWIRE_POLICY_NN_DEVIATION_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/nn/model.h"

namespace hivewire {

class Deviation {
 public:
  // INVALID_ARGUMENT names the field.
  static absl::StatusOr<Deviation> Make(const v1::DistributionConfig& config, int64_t dim);

  // Whether every row has the same.
  bool common() const { return !by_state_; }
  // What the model has to give for `dim` elements.
  int64_t num_inputs() const { return by_state_ ? 2 * dim_ : dim_; }

  at::Tensor Mean(const at::Tensor& inputs) const;
  // (dim) where common(), else (rows, dim).
  at::Tensor LogStd(const at::Tensor& inputs) const;

  // As Distribution's.
  at::Tensor InitialBias() const;
  std::vector<NamedTensor> Parameters() const;
  void Export(v1::ActionHead& head) const;

 private:
  Deviation(int64_t dim, bool by_state, bool learned, double initial_log_std);

  int64_t dim_;
  bool by_state_;
  bool learned_;
  at::Tensor log_std_;  // (dim)
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_DEVIATION_H_
