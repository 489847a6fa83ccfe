// A leaf of the observation, as a part of the flattened row.
#ifndef HIVEWIRE_POLICY_OBSERVATION_LEAF_H_
#define HIVEWIRE_POLICY_OBSERVATION_LEAF_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hivewire {

struct ObservationLeaf {
  std::string name;
  int size = 0;
  // Of one row.
  std::vector<int64_t> shape = {};
  // Its numbers are whole, 0 … 255.
  bool bytes = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_OBSERVATION_LEAF_H_
