// What the client's transport files have in common where a connection breaks.
#ifndef HIVEWIRE_CLIENT_RECOVERY_H_
#define HIVEWIRE_CLIENT_RECOVERY_H_

#include <string>

#include "absl/status/status.h"

namespace hivewire {

// Of the connection, not an answer of the server's: trying again may cure it.
bool IsBrokenConnection(const absl::Status& status);

// So that a CreatePool whose answer was lost can be sent again. Whoever knows the key gets the
// pool.
std::string NewIdempotencyKey();

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_RECOVERY_H_
