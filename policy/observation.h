// An env's observation leaves as one float32 row a lane: flattened and joined in the spec's order.
//
// Immutable.
#ifndef HIVEWIRE_POLICY_OBSERVATION_H_
#define HIVEWIRE_POLICY_OBSERVATION_H_

#include <vector>

#include "absl/types/span.h"
#include "client/leaf_buffer.h"
#include "hivewire/v1/spec.pb.h"
#include "policy/observation_leaf.h"

namespace hivewire {

// The leaves of such a row.
std::vector<ObservationLeaf> ObservationLeaves(const std::vector<v1::LayoutLeaf>& leaves);

class ObservationFlattener {
 public:
  explicit ObservationFlattener(const std::vector<v1::LayoutLeaf>& leaves);

  // Elements of a row.
  int dim() const { return dim_; }

  // All rows of `leaves` → (rows, dim).
  void Flatten(absl::Span<const LeafView> leaves, absl::Span<float> out) const;
  void Flatten(const std::vector<LeafBuffer>& leaves, absl::Span<float> out) const;

 private:
  int dim_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_OBSERVATION_H_
