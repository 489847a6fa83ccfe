// Where a server listens, and a client looks for it, when nobody says otherwise.
#ifndef HIVEWIRE_BASE_DEFAULT_SOCKET_H_
#define HIVEWIRE_BASE_DEFAULT_SOCKET_H_

#include <string>

namespace hivewire {

// The path of a Unix socket below XDG_RUNTIME_DIR, or in a folder of this user's own in /tmp.
std::string DefaultSocketPath();

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_DEFAULT_SOCKET_H_
