// The transforms that there are; see TransformConfig for what each does.
#ifndef HIVEWIRE_POLICY_TRANSFORMS_TRANSFORMS_H_
#define HIVEWIRE_POLICY_TRANSFORMS_TRANSFORMS_H_

#include <memory>
#include <vector>

#include "policy/transforms/transform.h"

namespace hivewire {

// Each as MakeTransform.
using MadeTransform = absl::StatusOr<std::unique_ptr<Transform>>;

MadeTransform MakeCenterCrop(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeConcatenate(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeDoubleToFloat(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeEncoder(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeFrameStack(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeGrey(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeResize(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);
MadeTransform MakeToTensorImage(const v1::TransformConfig&, int num_lanes, std::vector<LeafShape>&);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRANSFORMS_TRANSFORMS_H_
