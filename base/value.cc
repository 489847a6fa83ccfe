#include "base/value.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace hivewire {

std::string FormatValue(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case v1::Value::kIntValue:
      return absl::StrCat(value.int_value());
    case v1::Value::kDoubleValue:
      return absl::StrCat(value.double_value());
    case v1::Value::kStringValue:
      return absl::StrCat("\"", value.string_value(), "\"");
    case v1::Value::kDoubleList:
      return absl::StrCat("[", absl::StrJoin(value.double_list().values(), ", "), "]");
    case v1::Value::kStringList:
      if (value.string_list().values().empty()) return "[]";
      return absl::StrCat("[\"", absl::StrJoin(value.string_list().values(), "\", \""), "\"]");
    case v1::Value::kTensorValue:
      return absl::StrFormat("tensor of %d bytes", value.tensor_value().data().size());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return "(no value)";
}

}  // namespace hivewire
