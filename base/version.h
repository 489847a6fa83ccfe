// The three axes of a version, and the release.
#ifndef HIVEWIRE_BASE_VERSION_H_
#define HIVEWIRE_BASE_VERSION_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hivewire {

inline constexpr absl::string_view kVersion = "0.1.0";
// Bytes on the wire; client and server must agree.
inline constexpr uint32_t kWireVersion = 1;
// Behaviour that a client may rely on; part of every layout's hash.
inline constexpr absl::string_view kEdition = "2026.11";

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_VERSION_H_
