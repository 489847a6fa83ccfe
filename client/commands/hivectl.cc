#include "client/commands/hivectl.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "base/version.h"
#include "client/commands/arguments.h"
#include "client/commands/command.h"
#include "client/commands/table.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

const std::vector<Command>& Commands() {
  static const auto* const commands = new std::vector<Command>{
      ListCommand(),        DescribeCommand(),   InfoCommand(),   PoolsCommand(),
      RolloutCommand(),     RenderCommand(),     RecordCommand(), BenchCommand(),
      ConformanceCommand(), PropertiesCommand(), WatchCommand()};
  return *commands;
}

absl::StatusOr<const Command*> Find(const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const Command& command : Commands()) {
    if (command.name == name) return &command;
    names.push_back(command.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown command \"", name, "\"", NearestHint(name, names)));
}

void PrintUsage(std::ostream& out) {
  out << "hivectl " << kVersion << ": looks after env servers, and drives what they host.\n\n"
      << "  hivectl COMMAND [ENV] [--flags]\n\n";
  Table table;
  for (const Command& command : Commands())
    table.AddRow({absl::StrCat("  ", command.name), command.operand, command.summary});
  table.AddRow({"  help", "COMMAND", "What a command takes."});
  table.Print(out);
  out << "\nEvery command takes --server=ADDRESS (unix:/path or tcp:host:port) and the other flags "
         "of the\nconnection: see hivectl help list.\n";
}

std::string FlagUsage(const FlagSpec& flag) {
  switch (flag.kind) {
    case FlagKind::kSwitch:
      return absl::StrCat("  --", flag.name);
    case FlagKind::kList:
      return absl::StrCat("  --", flag.name, " NAME=VALUE");
    case FlagKind::kText:
      return absl::StrCat("  --", flag.name, "=TEXT");
    case FlagKind::kCount:
    case FlagKind::kNumber:
    case FlagKind::kSeed:
      break;
  }
  return absl::StrCat("  --", flag.name, "=N");
}

void PrintHelp(const Command& command, std::ostream& out) {
  out << command.summary << "\n\n  hivectl " << command.name << (command.operand.empty() ? "" : " ")
      << command.operand << " [--flags]\n  hivectl " << command.example << "\n";
  Table table;
  for (const FlagSpec& flag : command.flags) {
    table.AddRow(
        {FlagUsage(flag), flag.default_value.empty()
                              ? flag.doc
                              : absl::StrCat(flag.doc, " Default: ", flag.default_value, ".")});
  }
  if (!command.flags.empty()) {
    out << "\nFlags:\n";
    table.Print(out);
  }
  out << "\nConnection:\n";
  Table connection;
  for (const absl::string_view name : ConnectionFlagNames()) {
    connection.AddRow({absl::StrCat("  --", name), absl::FindCommandLineFlag(name)->Help()});
  }
  connection.Print(out);
}

absl::Status Help(absl::Span<const std::string> names, std::ostream& out) {
  if (names.empty()) {
    PrintUsage(out);
    return absl::OkStatus();
  }
  const absl::StatusOr<const Command*> command = Find(names[0]);
  if (!command.ok()) return command.status();
  PrintHelp(**command, out);
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> arguments, std::ostream& out,
                 const std::atomic<bool>& interrupted) {
  if (arguments.empty()) return absl::InvalidArgumentError("no command; hivectl help lists them");
  const std::string& name = arguments[0];
  const absl::Span<const std::string> rest = arguments.subspan(1);
  if (name == "help" || name == "--help" || name == "-h") return Help(rest, out);
  if (name == "--version") {
    out << "hivectl " << kVersion << "\n";
    return absl::OkStatus();
  }
  const absl::StatusOr<const Command*> command = Find(name);
  if (!command.ok()) return command.status();
  if (std::find_if(rest.begin(), rest.end(), [](const std::string& argument) {
        return argument == "--help" || argument == "-h";
      }) != rest.end()) {
    return Help({name}, out);
  }
  const absl::StatusOr<Arguments> parsed = Arguments::Parse((*command)->flags, rest);
  if (!parsed.ok()) return parsed.status();
  const size_t most = (*command)->operand.empty() ? 0 : 1;
  if (parsed->operands().size() > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("what is \"", parsed->operands()[most], "\"? See hivectl help ", name));
  }
  return (*command)->run({*parsed, out, interrupted});
}

}  // namespace

absl::Status RunHivectl(absl::Span<const std::string> arguments, std::ostream& out,
                        const std::atomic<bool>& interrupted) {
  const absl::Status status = Run(arguments, out, interrupted);
  if (!status.ok()) return status;
  errno = 0;
  if (out.flush()) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("cannot write to standard output", errno == 0 ? "" : ": ",
                                         errno == 0 ? "" : strerror(errno)));
}

}  // namespace hivewire
