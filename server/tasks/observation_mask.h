// Which elements of an env's observation a mask leaves out.
//
// A mask is a list of
//   NAME         a leaf, or the elements of that name; * stands for any text ("*velocity*")
//   LEAF[3]      one element of a leaf
//   LEAF[3:7]    elements 3 … 6
//   3, 3:7       likewise, of an env whose observation is a single leaf
#ifndef HIVEWIRE_SERVER_TASKS_OBSERVATION_MASK_H_
#define HIVEWIRE_SERVER_TASKS_OBSERVATION_MASK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

using ObservationLeaves = google::protobuf::RepeatedPtrField<v1::LeafSpec>;

// For each leaf the elements that stay, in ascending order. BAD_OPTION naming the item that matches
// nothing (with the nearest names), is out of range, or takes a part of a leaf of more than one
// dimension; and where nothing would be left.
absl::StatusOr<std::vector<std::vector<size_t>>> ApplyObservationMask(
    absl::Span<const std::string> mask, const ObservationLeaves& leaves);

// A leaf of one dimension, cut down to some of its elements.
v1::LeafSpec PickElements(const v1::LeafSpec& leaf, absl::Span<const size_t> elements);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_OBSERVATION_MASK_H_
