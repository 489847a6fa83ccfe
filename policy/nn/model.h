// A Model maps observations to what a distribution over actions needs and to a value.
//
// Differentiable by torch's autograd; a model written in plain torch operations is a good one. May
// throw what torch throws: callers are in GuardTorch. One thread at a time.
// To add one: a new file with a MakeX() and a line in registry.cc.
#ifndef HIVEWIRE_POLICY_NN_MODEL_H_
#define HIVEWIRE_POLICY_NN_MODEL_H_

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/observation_leaf.h"

namespace hivewire {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

struct ModelShape {
  int64_t observation_dim = 0;
  // Inputs of the distribution.
  int64_t policy_outputs = 0;
  // Where the biases of the policy's outputs start, (policy_outputs); undefined for 0.
  at::Tensor policy_bias = {};
  // Columns of the observation that the policy sees, rising; empty for all.
  std::vector<int64_t> policy_columns = {};
  // What the columns are, in order; empty where nobody knows.
  std::vector<ObservationLeaf> leaves = {};
};

// How a stretch of time runs through a model that remembers. Rows of observations are then in the
// order of time: row t · lanes + n is step t of lane n. A model without a memory takes no notice.
struct Passage {
  int64_t steps = 1;
  // (steps, lanes) float32: 0 where the lane forgets, before that step, what it remembers; else 1.
  // Undefined: no lane does.
  at::Tensor keep = {};
  // (lanes, memory width): what is remembered before the first step, all zero by one who remembers
  // nothing. A model leaves there what is remembered after the last; no gradient runs through.
  at::Tensor policy_memory = {};
  at::Tensor value_memory = {};
};

class Model {
 public:
  struct Output {
    at::Tensor policy;  // (rows, policy_outputs) float32
    at::Tensor value;   // (rows) float32
  };

  virtual ~Model() = default;

  // Elements of a lane's memories; 0 for none. A policy and a value that share a memory have it as
  // the policy's.
  virtual int64_t policy_memory_width() const { return 0; }
  virtual int64_t value_memory_width() const { return 0; }

  // `observations` (rows, observation_dim) float32.
  virtual Output Forward(const at::Tensor& observations, Passage& passage) const = 0;
  // The policy's half alone.
  virtual at::Tensor ForwardPolicy(const at::Tensor& observations, Passage& passage) const = 0;
  // Where the memory is the policy's, it is left as it was.
  virtual at::Tensor ForwardValue(const at::Tensor& observations, Passage& passage) const = 0;

  // Whether policy and value depend on common parameters. Where they do not, the two halves may be
  // computed on two threads at once.
  virtual bool shares_parameters() const = 0;

  // Leaves that require gradients, in a fixed order. Handles: they share memory with the model.
  virtual std::vector<NamedTensor> Parameters() const = 0;

  // Writes the two halves as data: `actor` and `critic`; of a model that remembers the policy's
  // alone, with what policy.proto has for it. UNIMPLEMENTED where they cannot be said so.
  virtual absl::Status Export(v1::Policy& policy) const = 0;
};

// The model that `config` asks for, on the CPU. INVALID_ARGUMENT names the field.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::ModelConfig& config,
                                                 const ModelShape& shape, at::Generator& generator);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_MODEL_H_
