// Tensors and a few strings in one safetensors file, which Python's safetensors reads too.
//
// Format: u64 length of the header, a JSON header (dtype, shape and data_offsets of each tensor;
// "__metadata__" with strings), then the tensors' bytes. We add "crc32c" to the metadata: the
// checksum of the whole file with zeros for its own eight digits.
#ifndef HIVEWIRE_POLICY_CHECKPOINT_SAFETENSORS_H_
#define HIVEWIRE_POLICY_CHECKPOINT_SAFETENSORS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;  // without the checksum
  bool checked = false;                         // it was read, with a checksum that matched
};

// The bytes of such a file. `name` stands for it in errors.
absl::StatusOr<std::string> EncodeSafetensors(const Safetensors& contents);
absl::StatusOr<Safetensors> DecodeSafetensors(const std::string& bytes, const std::string& name);

// Atomic (see atomic_file.h).
absl::Status WriteSafetensors(const std::string& path, const Safetensors& contents);

// NOT_FOUND for no file; DATA_LOSS for one that is damaged or no safetensors file, saying where.
absl::StatusOr<Safetensors> ReadSafetensors(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_SAFETENSORS_H_
