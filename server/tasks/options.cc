#include "server/tasks/options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

v1::OptionSpec NewOption(absl::string_view name, v1::ValueType type, absl::string_view doc) {
  v1::OptionSpec spec;
  spec.set_name(std::string(name));
  spec.set_type(type);
  spec.set_doc(std::string(doc));
  return spec;
}

v1::ValueType TypeOf(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return v1::VALUE_TYPE_BOOL;
    case v1::Value::kIntValue:
      return v1::VALUE_TYPE_INT;
    case v1::Value::kDoubleValue:
      return v1::VALUE_TYPE_DOUBLE;
    case v1::Value::kStringValue:
      return v1::VALUE_TYPE_STRING;
    case v1::Value::kDoubleList:
      return v1::VALUE_TYPE_DOUBLE_LIST;
    case v1::Value::kStringList:
      return v1::VALUE_TYPE_STRING_LIST;
    case v1::Value::kTensorValue:
      return v1::VALUE_TYPE_TENSOR;
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return v1::VALUE_TYPE_UNSPECIFIED;
}

absl::string_view TypeName(v1::ValueType type) {
  switch (type) {
    case v1::VALUE_TYPE_BOOL:
      return "a bool";
    case v1::VALUE_TYPE_INT:
      return "an integer";
    case v1::VALUE_TYPE_DOUBLE:
      return "a number";
    case v1::VALUE_TYPE_STRING:
      return "a string";
    case v1::VALUE_TYPE_DOUBLE_LIST:
      return "a list of numbers";
    case v1::VALUE_TYPE_STRING_LIST:
      return "a list of strings";
    case v1::VALUE_TYPE_TENSOR:
      return "a tensor";
    default:
      return "nothing";
  }
}

absl::Status BadOption(const v1::OptionSpec& spec, const v1::Value& value, absl::string_view what) {
  const std::string text = Excerpt(FormatValue(value));
  return MakeError(v1::ERROR_REASON_BAD_OPTION,
                   absl::StrCat("option ", spec.name(), " = ", text, " ", what),
                   absl::StrCat("options.", spec.name()), text);
}

// The numbers in a value, for the check of bounds.
std::vector<double> NumbersIn(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kIntValue:
      return {static_cast<double>(value.int_value())};
    case v1::Value::kDoubleValue:
      return {value.double_value()};
    case v1::Value::kDoubleList:
      return {value.double_list().values().begin(), value.double_list().values().end()};
    default:
      return {};
  }
}

absl::Status CheckValue(const v1::OptionSpec& spec, const v1::Value& value) {
  if (TypeOf(value) != spec.type())
    return BadOption(spec, value, absl::StrCat("is not ", TypeName(spec.type())));
  for (const double number : NumbersIn(value)) {
    if (std::isnan(number)) return BadOption(spec, value, "is not a number");
    if (spec.has_minimum() && number < spec.minimum())
      return BadOption(spec, value, absl::StrCat("is below the minimum, ", spec.minimum()));
    if (spec.has_maximum() && number > spec.maximum())
      return BadOption(spec, value, absl::StrCat("is above the maximum, ", spec.maximum()));
  }
  if (spec.type() == v1::VALUE_TYPE_STRING && spec.choices_size() > 0) {
    const std::vector<std::string> choices(spec.choices().begin(), spec.choices().end());
    if (std::find(choices.begin(), choices.end(), value.string_value()) == choices.end())
      return BadOption(spec, value,
                       absl::StrCat("is none of ", absl::StrJoin(choices, ", "),
                                    NearestHint(value.string_value(), choices)));
  }
  return absl::OkStatus();
}

const v1::OptionSpec* FindSpec(absl::Span<const v1::OptionSpec> specs, const std::string& name) {
  for (const v1::OptionSpec& spec : specs) {
    if (spec.name() == name) return &spec;
  }
  return nullptr;
}

const v1::Value& ValueOf(const Options& options, absl::string_view name) {
  return options.at(std::string(name));
}

}  // namespace

v1::OptionSpec BoolOption(absl::string_view name, bool default_value, absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_BOOL, doc);
  spec.mutable_default_value()->set_bool_value(default_value);
  return spec;
}

v1::OptionSpec IntOption(absl::string_view name, int64_t default_value, absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_INT, doc);
  spec.mutable_default_value()->set_int_value(default_value);
  return spec;
}

v1::OptionSpec DoubleOption(absl::string_view name, double default_value, absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_DOUBLE, doc);
  spec.mutable_default_value()->set_double_value(default_value);
  return spec;
}

v1::OptionSpec DoubleListOption(absl::string_view name, const std::vector<double>& default_value,
                                absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_DOUBLE_LIST, doc);
  spec.mutable_default_value()->mutable_double_list()->mutable_values()->Assign(
      default_value.begin(), default_value.end());
  return spec;
}

v1::OptionSpec StringOption(absl::string_view name, absl::string_view default_value,
                            const std::vector<std::string>& choices, absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_STRING, doc);
  spec.mutable_default_value()->set_string_value(std::string(default_value));
  spec.mutable_choices()->Assign(choices.begin(), choices.end());
  return spec;
}

v1::OptionSpec StringListOption(absl::string_view name,
                                const std::vector<std::string>& default_value,
                                absl::string_view doc) {
  v1::OptionSpec spec = NewOption(name, v1::VALUE_TYPE_STRING_LIST, doc);
  spec.mutable_default_value()->mutable_string_list()->mutable_values()->Assign(
      default_value.begin(), default_value.end());
  return spec;
}

absl::StatusOr<Options> ResolveOptions(absl::Span<const v1::OptionSpec> specs,
                                       const Options& given) {
  Options resolved;
  for (const v1::OptionSpec& spec : specs) {
    if (spec.has_default_value()) resolved[spec.name()] = spec.default_value();
  }
  for (const auto& [name, value] : given) {
    const v1::OptionSpec* spec = FindSpec(specs, name);
    if (spec == nullptr) {
      std::vector<std::string> names;
      for (const v1::OptionSpec& known : specs) names.push_back(known.name());
      return MakeError(
          v1::ERROR_REASON_BAD_OPTION,
          absl::StrCat("unknown option \"", Excerpt(name), "\"", NearestHint(name, names)),
          absl::StrCat("options.", Excerpt(name)), Excerpt(FormatValue(value)));
    }
    v1::Value typed = value;
    if (spec->type() == v1::VALUE_TYPE_DOUBLE && value.has_int_value())
      typed.set_double_value(static_cast<double>(value.int_value()));
    const absl::Status status = CheckValue(*spec, typed);
    if (!status.ok()) return status;
    resolved[name] = std::move(typed);
  }
  return resolved;
}

bool GetBool(const Options& options, absl::string_view name) {
  return ValueOf(options, name).bool_value();
}

int64_t GetInt(const Options& options, absl::string_view name) {
  return ValueOf(options, name).int_value();
}

double GetDouble(const Options& options, absl::string_view name) {
  return ValueOf(options, name).double_value();
}

std::vector<double> GetDoubleList(const Options& options, absl::string_view name) {
  const auto& values = ValueOf(options, name).double_list().values();
  return {values.begin(), values.end()};
}

const std::string& GetString(const Options& options, absl::string_view name) {
  return ValueOf(options, name).string_value();
}

std::vector<std::string> GetStringList(const Options& options, absl::string_view name) {
  const auto& values = ValueOf(options, name).string_list().values();
  return {values.begin(), values.end()};
}

}  // namespace hivewire
