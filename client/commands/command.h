// One command of hivectl: what it is called, what it takes and what it does.
#ifndef HIVEWIRE_CLIENT_COMMANDS_COMMAND_H_
#define HIVEWIRE_CLIENT_COMMANDS_COMMAND_H_

#include <atomic>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/commands/arguments.h"

namespace hivewire {

struct CommandContext {
  const Arguments& arguments;
  std::ostream& out;
  // Somebody wants us to stop: clean up and return CANCELLED.
  const std::atomic<bool>& interrupted;
};

struct Command {
  std::string name;
  std::string operand;  // "ENV", "[FILTER]", or empty for none
  std::string summary;
  std::string example;  // after "hivectl "
  std::vector<FlagSpec> flags;
  absl::Status (*run)(const CommandContext& context);
};

Command ListCommand();
Command DescribeCommand();
Command PoolsCommand();
Command InfoCommand();
Command RolloutCommand();
Command RenderCommand();
Command RecordCommand();
Command BenchCommand();
Command ConformanceCommand();
Command PropertiesCommand();
Command WatchCommand();

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_COMMAND_H_
