// SHA-256, by OpenSSL.
#ifndef HIVEWIRE_BASE_SHA256_H_
#define HIVEWIRE_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hivewire {

// The digest's 32 bytes.
std::string Sha256(absl::string_view bytes);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_SHA256_H_
