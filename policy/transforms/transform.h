// A Transform changes what a policy is shown: one link of the chain that a LearnerConfig asks for.
//
// Leaves are tensors of (rows, shape…) on the chain's device, a row a lane. A row's result depends
// on that row, and on what the same lane showed before, alone: so it makes no difference which
// lanes come together. May throw what torch throws: callers are in GuardTorch. One thread at a
// time. To add one: a new file with a MakeX() and a line in registry.cc.
#ifndef HIVEWIRE_POLICY_TRANSFORMS_TRANSFORM_H_
#define HIVEWIRE_POLICY_TRANSFORMS_TRANSFORM_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

struct LeafShape {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  // Of one row.
  std::vector<int64_t> shape;
};

// Which lanes the rows are of, and which of them show the first observation of an episode.
struct TransformRows {
  absl::Span<const uint32_t> lanes;
  absl::Span<const uint8_t> first;
};

class Transform {
 public:
  virtual ~Transform() = default;

  // In place, one tensor a leaf, in the order in which the transform before gives them.
  virtual void Apply(const TransformRows& rows, std::vector<at::Tensor>& leaves) = 0;

  // What it remembers of the lanes, under names that begin with `prefix`.
  virtual void Save(const std::string&, TensorMap&) const {}
  virtual absl::Status Load(const std::string&, const TensorMap&) { return absl::OkStatus(); }
};

// The transform that `config` asks for, for lanes 0 … num_lanes − 1. `leaves` are those that it is
// given, and then those that it gives. INVALID_ARGUMENT names the field and what is accepted.
absl::StatusOr<std::unique_ptr<Transform>> MakeTransform(const v1::TransformConfig& config,
                                                         int num_lanes,
                                                         std::vector<LeafShape>& leaves);

// For transforms of single leaves: the indices of those that `config` names, or without names of
// all that fit. INVALID_ARGUMENT for a name that is none (with the nearest), or a named leaf that
// does not fit; `form` says what would.
absl::StatusOr<std::vector<size_t>> ChosenLeaves(const v1::TransformConfig& config,
                                                 const std::vector<LeafShape>& leaves,
                                                 absl::string_view form,
                                                 bool (*fits)(const LeafShape& leaf));

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRANSFORMS_TRANSFORM_H_
