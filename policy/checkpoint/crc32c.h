// CRC-32C (Castagnoli), the checksum of TensorBoard's records and of our checkpoints.
#ifndef HIVEWIRE_POLICY_CHECKPOINT_CRC32C_H_
#define HIVEWIRE_POLICY_CHECKPOINT_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hivewire {

// Of `data`, or of what gave `seed` with `data` behind it.
uint32_t Crc32c(absl::string_view data, uint32_t seed = 0);

// As a TFRecord stores it: rotated, so that a checksum of data with checksums in it stays good.
uint32_t MaskedCrc32c(absl::string_view data);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_CRC32C_H_
