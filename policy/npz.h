// Writes numpy's .npz files: named arrays, which numpy.load reads without anything of ours.
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_NPZ_H_
#define HIVEWIRE_POLICY_NPZ_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hivewire/v1/types.pb.h"

namespace hivewire {

struct NpzArray {
  v1::DType dtype = v1::DTYPE_UNSPECIFIED;
  // Outermost first; empty for a scalar.
  std::vector<int64_t> shape;
  // Little-endian, row-major.
  std::string bytes;
};

// The file appears whole or not at all. INVALID_ARGUMENT for more than the 4 GiB that the format
// holds; other errors name the path.
absl::Status WriteNpz(const std::string& path, const std::map<std::string, NpzArray>& arrays);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NPZ_H_
