// The whole of hivectl, but for the process around it.
#ifndef HIVEWIRE_CLIENT_COMMANDS_HIVECTL_H_
#define HIVEWIRE_CLIENT_COMMANDS_HIVECTL_H_

#include <atomic>
#include <iosfwd>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hivewire {

// Runs the command that `arguments` (without the program's name) ask for. The Status is for people:
// its message is one line that names what is wrong and what is accepted.
absl::Status RunHivectl(absl::Span<const std::string> arguments, std::ostream& out,
                        const std::atomic<bool>& interrupted);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_HIVECTL_H_
