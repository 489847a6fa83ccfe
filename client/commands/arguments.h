// A command's part of the command line: operands, flags of its own, and the connection flags that
// every command takes.
//
// Immutable once parsed, except that connection flags are set in their absl flags.
#ifndef HIVEWIRE_CLIENT_COMMANDS_ARGUMENTS_H_
#define HIVEWIRE_CLIENT_COMMANDS_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

enum class FlagKind {
  kSwitch,  // --name
  kText,
  kCount,   // a whole number from 1
  kNumber,  // a number above 0
  kSeed,    // a whole number from 0
  kList,    // may be given several times
};

struct FlagSpec {
  std::string name;
  FlagKind kind = FlagKind::kText;
  // Empty for none.
  std::string default_value = {};
  std::string doc = {};
};

class Arguments {
 public:
  // Flags are --name=value or "--name value", anywhere; "--" ends them. INVALID_ARGUMENT for an
  // unknown flag (with the nearest names) and for a value of another kind, naming both.
  static absl::StatusOr<Arguments> Parse(absl::Span<const FlagSpec> flags,
                                         absl::Span<const std::string> arguments);

  const std::vector<std::string>& operands() const { return operands_; }

  // Given, or with a default.
  bool Has(absl::string_view flag) const;
  bool Switch(absl::string_view flag) const { return Has(flag); }
  // Empty where it was not given and has no default.
  std::string Text(absl::string_view flag) const;
  // These need Has.
  int Count(absl::string_view flag) const;
  double Number(absl::string_view flag) const;
  uint64_t Seed(absl::string_view flag) const;
  std::vector<std::string> List(absl::string_view flag) const;

 private:
  std::vector<std::string> operands_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_ARGUMENTS_H_
