#include "client/commands/env_options.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

std::vector<absl::string_view> SplitList(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&text, "[")) absl::ConsumeSuffix(&text, "]");
  if (text.empty()) return {};
  std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  for (absl::string_view& part : parts) part = absl::StripAsciiWhitespace(part);
  return parts;
}

// Whether `text` is a value of that type.
bool ParseValue(v1::ValueType type, const std::string& text, v1::Value& value) {
  bool truth = false;
  int64_t whole = 0;
  double number = 0;
  switch (type) {
    case v1::VALUE_TYPE_BOOL:
      if (!absl::SimpleAtob(text, &truth)) return false;
      value.set_bool_value(truth);
      return true;
    case v1::VALUE_TYPE_INT:
      if (!absl::SimpleAtoi(text, &whole)) return false;
      value.set_int_value(whole);
      return true;
    case v1::VALUE_TYPE_DOUBLE:
      if (!absl::SimpleAtod(text, &number)) return false;
      value.set_double_value(number);
      return true;
    case v1::VALUE_TYPE_STRING:
      value.set_string_value(text);
      return true;
    case v1::VALUE_TYPE_DOUBLE_LIST:
      value.mutable_double_list();
      for (const absl::string_view part : SplitList(text)) {
        if (!absl::SimpleAtod(part, &number)) return false;
        value.mutable_double_list()->add_values(number);
      }
      return true;
    case v1::VALUE_TYPE_STRING_LIST:
      value.mutable_string_list();
      for (const absl::string_view part : SplitList(text))
        value.mutable_string_list()->add_values(std::string(part));
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string TypeName(v1::ValueType type) {
  switch (type) {
    case v1::VALUE_TYPE_BOOL:
      return "bool";
    case v1::VALUE_TYPE_INT:
      return "int";
    case v1::VALUE_TYPE_DOUBLE:
      return "double";
    case v1::VALUE_TYPE_STRING:
      return "text";
    case v1::VALUE_TYPE_DOUBLE_LIST:
      return "list of doubles";
    case v1::VALUE_TYPE_STRING_LIST:
      return "list of texts";
    case v1::VALUE_TYPE_TENSOR:
      return "tensor, which no command line can write";
    default:
      return "unknown";
  }
}

absl::StatusOr<std::map<std::string, v1::Value>> ParseEnvOptions(
    const google::protobuf::RepeatedPtrField<v1::OptionSpec>& specs,
    absl::Span<const std::string> assignments) {
  std::map<std::string, v1::Value> options;
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--option: \"", assignment, "\" is not name=value"));
    }
    const std::string name = assignment.substr(0, equals);
    const std::string text = assignment.substr(equals + 1);
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const v1::OptionSpec& known) {
      return known.name() == name;
    });
    if (spec == specs.end()) {
      std::vector<std::string> names;
      for (const v1::OptionSpec& known : specs) names.push_back(known.name());
      return absl::InvalidArgumentError(
          absl::StrCat("--option: the env has no option \"", name, "\"", NearestHint(name, names)));
    }
    v1::Value value;
    if (!ParseValue(spec->type(), text, value)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--option: ", name, " = \"", text, "\" is not of its type, ", TypeName(spec->type())));
    }
    if (!options.emplace(name, value).second)
      return absl::InvalidArgumentError(absl::StrCat("--option: ", name, " is given twice"));
  }
  return options;
}

}  // namespace hivewire
