// hivectl conformance: whether servers keep what every server promises.
#include "client/conformance/conformance.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

absl::Status Conformance(const CommandContext& context) {
  const auto addresses = Addresses();
  if (!addresses.ok()) return addresses.status();
  ConformanceTarget target;
  target.connection = ConnectionFromFlags();
  if (!context.arguments.operands().empty() || !context.arguments.Text("env").empty()) {
    const auto env_id = EnvId(context.arguments);
    if (!env_id.ok()) return env_id.status();
    target.env_id = *env_id;
  }
  int passed = 0, failed = 0;
  for (const std::string& address : *addresses) {
    target.server = address;
    for (const auto* checks : {&StepChecks(), &WireChecks()}) {
      for (const ConformanceCheck& check : *checks) {
        if (context.interrupted.load()) return absl::CancelledError("interrupted");
        const absl::Status status = check.run(target);
        ++(status.ok() ? passed : failed);
        context.out << (status.ok() ? "ok      " : "FAILED  ") << check.name;
        if (!status.ok()) context.out << ": " << status.message();
        context.out << std::endl;
      }
    }
  }
  context.out << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? absl::OkStatus()
                     : absl::FailedPreconditionError(absl::StrCat(failed, " checks failed"));
}

}  // namespace

Command ConformanceCommand() {
  return {.name = "conformance",
          .operand = "[ENV]",
          .summary = "Checks that a server keeps what the protocol promises.",
          .example = "conformance --server=tcp:sim-machine:7777",
          .flags = {{.name = "env",
                     .doc = "The env to step, instead of CartPole-v1; its episodes must last five "
                            "steps."}},
          .run = Conformance};
}

}  // namespace hivewire
