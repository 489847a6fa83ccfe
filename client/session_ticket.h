// Session tickets as files: what a process leaves behind so that the next one can go on with its
// pools (VectorEnv::ticket, VectorEnv::Resume).
#ifndef HIVEWIRE_CLIENT_SESSION_TICKET_H_
#define HIVEWIRE_CLIENT_SESSION_TICKET_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/ticket.pb.h"

namespace hivewire {

// Writes the ticket as textproto, whole or not at all, readable by its owner alone.
absl::Status SaveTicket(const v1::SessionTicket& ticket, const std::string& path);

// INVALID_ARGUMENT names the file and the line; PERMISSION_DENIED where others can read it too.
absl::StatusOr<v1::SessionTicket> LoadTicket(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_SESSION_TICKET_H_
