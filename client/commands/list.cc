// hivectl list: the envs that a server offers.
#include <ostream>

#include "absl/strings/str_cat.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/commands/table.h"

namespace hivewire {
namespace {

absl::Status List(const CommandContext& context) {
  const auto client = ConnectToFirst();
  if (!client.ok()) return client.status();
  v1::ListEnvsRequest request;
  if (!context.arguments.operands().empty()) request.set_filter(context.arguments.operands()[0]);
  const auto envs = (*client)->ListEnvs(request);
  if (!envs.ok()) return envs.status();
  if (envs->envs().empty()) {
    return absl::NotFoundError(
        absl::StrCat("no env has \"", request.filter(), "\" in its id; hivectl list shows all"));
  }
  Table table;
  for (const auto& env : envs->envs()) table.AddRow({env.id(), env.description()});
  table.Print(context.out);
  return absl::OkStatus();
}

}  // namespace

Command ListCommand() {
  return {.name = "list",
          .operand = "[FILTER]",
          .summary = "Lists the envs that the server offers, or those with FILTER in their ids.",
          .example = "list Pendulum",
          .flags = {},
          .run = List};
}

}  // namespace hivewire
