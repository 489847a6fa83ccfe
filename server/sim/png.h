// Images as PNG files.
#ifndef HIVEWIRE_SERVER_SIM_PNG_H_
#define HIVEWIRE_SERVER_SIM_PNG_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/sim/renderer.h"

namespace hivewire {

// The bytes of a PNG file, 8-bit RGB. INVALID_ARGUMENT for an image whose pixels do not fill its
// size.
absl::StatusOr<std::string> EncodePng(const Image& image);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_PNG_H_
