#include "client/commands/arguments.h"

#include <algorithm>
#include <cmath>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/nearest.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

// What is wrong with the value; empty where nothing is.
std::string Complaint(const FlagSpec& flag, const std::string& value) {
  int count = 0;
  double number = 0;
  uint64_t seed = 0;
  switch (flag.kind) {
    case FlagKind::kCount:
      if (absl::SimpleAtoi(value, &count) && count >= 1) return "";
      return "a whole number from 1";
    case FlagKind::kNumber:
      if (absl::SimpleAtod(value, &number) && std::isfinite(number) && number > 0) return "";
      return "a number above 0";
    case FlagKind::kSeed:
      if (absl::SimpleAtoi(value, &seed)) return "";
      return "a whole number from 0";
    case FlagKind::kSwitch:
    case FlagKind::kText:
    case FlagKind::kList:
      break;
  }
  return "";
}

absl::Status UnknownFlag(absl::Span<const FlagSpec> flags, absl::string_view name) {
  std::vector<std::string> known;
  for (const FlagSpec& flag : flags) known.push_back(absl::StrCat("--", flag.name));
  for (const absl::string_view flag : ConnectionFlagNames())
    known.push_back(absl::StrCat("--", flag));
  const std::string given = absl::StrCat("--", name);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown option ", given, NearestHint(given, known)));
}

bool IsConnectionFlag(absl::string_view name) {
  const auto names = ConnectionFlagNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(absl::Span<const FlagSpec> flags,
                                           absl::Span<const std::string> arguments) {
  Arguments parsed;
  for (const FlagSpec& flag : flags) {
    if (!flag.default_value.empty()) parsed.values_[flag.name] = {flag.default_value};
  }
  bool flags_ended = false;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const std::string& argument = arguments[k];
    if (flags_ended || !absl::StartsWith(argument, "--")) {
      parsed.operands_.push_back(argument);
      continue;
    }
    if (argument == "--") {
      flags_ended = true;
      continue;
    }
    const std::pair<std::string, std::string> split =
        absl::StrSplit(argument.substr(2), absl::MaxSplits('=', 1));
    const std::string& name = split.first;
    const bool has_value = absl::StrContains(argument, "=");
    std::string value = split.second;
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const FlagSpec& known) { return known.name == name; });
    const bool own = flag != flags.end();
    if (!own && !IsConnectionFlag(name)) return UnknownFlag(flags, name);
    if (own ? flag->kind == FlagKind::kSwitch : name == "tls") {
      if (has_value && value != "true" && value != "false") {
        return absl::InvalidArgumentError(absl::StrCat(
            "--", name, " is a switch and takes no value, but was given \"", value, "\""));
      }
      if (!has_value) value = "true";
    } else if (!has_value) {
      if (k + 1 == arguments.size())
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      value = arguments[++k];
    }
    if (!own) {
      std::string error;
      if (!absl::FindCommandLineFlag(name)->ParseFrom(value, &error)) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, ": ", error));
      }
      continue;
    }
    if (const std::string wanted = Complaint(*flag, value); !wanted.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, ": \"", value, "\" is not ", wanted));
    }
    std::vector<std::string>& values = parsed.values_[name];
    if (flag->kind != FlagKind::kList) values.clear();
    values.push_back(value);
    if (flag->kind == FlagKind::kSwitch && value == "false") parsed.values_.erase(name);
  }
  return parsed;
}

bool Arguments::Has(absl::string_view flag) const { return values_.find(flag) != values_.end(); }

std::string Arguments::Text(absl::string_view flag) const {
  return Has(flag) ? values_.find(flag)->second.back() : "";
}

int Arguments::Count(absl::string_view flag) const {
  int count = 0;
  (void)absl::SimpleAtoi(Text(flag), &count);
  return count;
}

double Arguments::Number(absl::string_view flag) const {
  double number = 0;
  (void)absl::SimpleAtod(Text(flag), &number);
  return number;
}

uint64_t Arguments::Seed(absl::string_view flag) const {
  uint64_t seed = 0;
  (void)absl::SimpleAtoi(Text(flag), &seed);
  return seed;
}

std::vector<std::string> Arguments::List(absl::string_view flag) const {
  return Has(flag) ? values_.find(flag)->second : std::vector<std::string>();
}

}  // namespace hivewire
