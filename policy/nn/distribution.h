// A Distribution turns a model's outputs into actions and says how likely actions are.
//
// Actions are (rows, dim) float32 where the env takes a box, (rows) int64 where it takes a choice,
// (rows, dim) int64 where it takes several at once.
// May throw what torch throws: callers are in GuardTorch. One thread at a time.
// To add one: a new file with a MakeX() and a line in registry.cc.
#ifndef HIVEWIRE_POLICY_NN_DISTRIBUTION_H_
#define HIVEWIRE_POLICY_NN_DISTRIBUTION_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/action_space.h"
#include "policy/nn/model.h"

namespace hivewire {

class Distribution {
 public:
  struct Likelihood {
    at::Tensor log_prob;  // (rows) float32
    at::Tensor entropy;   // (rows) float32
  };

  virtual ~Distribution() = default;

  // Width of the model's policy output.
  virtual int64_t num_inputs() const = 0;
  // Where the biases of that output start, (num_inputs); undefined for 0.
  virtual at::Tensor InitialBias() const { return {}; }

  // Random numbers are drawn on the CPU, so that a seed means the same on every device.
  virtual at::Tensor Sample(const at::Tensor& inputs, at::Generator& generator) const = 0;
  // The most likely action.
  virtual at::Tensor Mode(const at::Tensor& inputs) const = 0;
  // Differentiable in `inputs` and in the distribution's own parameters.
  virtual Likelihood Evaluate(const at::Tensor& inputs, const at::Tensor& actions) const = 0;
  // Of each element of the action by itself, (rows, dim) float32; a row's sum is its log_prob.
  // Differentiable likewise.
  virtual at::Tensor ElementLogProbs(const at::Tensor& inputs, const at::Tensor& actions) const = 0;

  // As Model::Parameters; empty where the inputs say it all.
  virtual std::vector<NamedTensor> Parameters() const { return {}; }

  // Writes itself as data. UNIMPLEMENTED where the wire has no head of its kind; the policy can
  // then only act in the learner.
  virtual absl::Status Export(v1::ActionHead& head) const = 0;
};

// The distribution that `config` asks for ("auto": the one that fits). INVALID_ARGUMENT where it
// does not fit the action space.
absl::StatusOr<std::unique_ptr<Distribution>> MakeDistribution(const v1::DistributionConfig& config,
                                                               const ActionSpace& action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_DISTRIBUTION_H_
