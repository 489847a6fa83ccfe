// Reads numpy's .npz files (np.savez and np.savez_compressed): arrays of numbers, and strings.
#ifndef HIVEWIRE_TESTS_PARITY_NPZ_H_
#define HIVEWIRE_TESTS_PARITY_NPZ_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hivewire {

struct NumpyArray {
  std::string dtype;  // "<f8", "|b1", "<U12", …
  std::vector<int64_t> shape;
  std::string bytes;  // C order

  // Elements as numbers; of uint64 beyond 2^53 not all digits. Empty for strings.
  std::vector<double> Numbers() const;
  std::vector<uint64_t> Uint64() const;
  // Of a string of ASCII characters.
  std::string Text() const;
  // Elements of one entry of the first dimension; all of them for a scalar.
  size_t row_size() const;
};

// By name, without ".npy". NOT_FOUND, or INVALID_ARGUMENT for a file that is damaged or of a form
// that numpy does not write by itself.
absl::StatusOr<std::map<std::string, NumpyArray>> ReadNpz(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_PARITY_NPZ_H_
