// What a policy is shown of the lanes of an env: their observation leaves, through the chain of
// transforms that a configuration asks for, flattened and joined to one float32 row a lane.
//
// No torch type appears here; what LibTorch throws comes back as a Status. Without transforms
// nothing of LibTorch is used. One thread at a time.
#ifndef HIVEWIRE_POLICY_TRANSFORMS_OBSERVATIONS_H_
#define HIVEWIRE_POLICY_TRANSFORMS_OBSERVATIONS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/leaf_buffer.h"
#include "hivewire/v1/learner.pb.h"
#include "hivewire/v1/spec.pb.h"
#include "policy/checkpoint/tensor_map.h"
#include "policy/observation_leaf.h"

namespace hivewire {

class Observations {
 public:
  // Of lanes 0 … num_lanes − 1. INVALID_ARGUMENT names the transform, its field, and what is
  // accepted.
  static absl::StatusOr<std::unique_ptr<Observations>> Make(
      const v1::LearnerConfig& config, const std::vector<v1::LayoutLeaf>& leaves, int num_lanes);
  virtual ~Observations() = default;

  // Elements of a row.
  virtual int dim() const = 0;
  // What a row is made of, in order.
  virtual const std::vector<ObservationLeaf>& leaves() const = 0;

  // Rows of these lanes, `first` where an episode begins with this one, to (rows, dim).
  virtual absl::Status Show(absl::Span<const uint32_t> lanes, absl::Span<const uint8_t> first,
                            const std::vector<LeafBuffer>& leaves, absl::Span<float> out) = 0;

  // What transforms remember of the lanes.
  virtual absl::Status Save(TensorMap& tensors) const = 0;
  virtual absl::Status Load(const TensorMap& tensors) = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRANSFORMS_OBSERVATIONS_H_
