// What a ModelConfig says of the parts that every actor and critic are made of.
//
// May throw what torch throws.
#ifndef HIVEWIRE_POLICY_NN_HEAD_OPTIONS_H_
#define HIVEWIRE_POLICY_NN_HEAD_OPTIONS_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/nn/mlp.h"
#include "policy/nn/model.h"

namespace hivewire {

// Options of perceptrons, their widths left out.
struct HeadOptions {
  Mlp::Options dense;   // hidden layers alone, activated to the last
  Mlp::Options policy;  // up to the policy's outputs
  Mlp::Options value;   // up to the value

  // INVALID_ARGUMENT names the field.
  static absl::StatusOr<HeadOptions> Make(const v1::ModelConfig& config, const ModelShape& shape);
};

// The columns of an observation that the policy sees.
class PolicyColumns {
 public:
  explicit PolicyColumns(const ModelShape& shape);

  int64_t count() const { return count_; }
  // (rows, observation_dim) → (rows, count); itself where the policy sees all.
  at::Tensor Of(const at::Tensor& observations) const;
  // The policy's first layer as one that takes all columns, and heeds none of the others.
  void Widen(v1::DenseLayer& layer) const;

 private:
  int64_t observation_dim_;
  int64_t count_;
  at::Tensor columns_;  // (count) int64; undefined where the policy sees all
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_HEAD_OPTIONS_H_
