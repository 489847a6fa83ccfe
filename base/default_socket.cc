#include "base/default_socket.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace hivewire {

std::string DefaultSocketPath() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') return absl::StrCat(runtime, "/hivewire/env.sock");
  return absl::StrCat("/tmp/hivewire-", getuid(), "/env.sock");
}

}  // namespace hivewire
