#include "policy/config/overrides.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/nearest.h"
#include "base/textproto.h"
#include "hivewire/v1/types.pb.h"

namespace hivewire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Mistyped(absl::string_view path, absl::string_view text, absl::string_view accepted) {
  return absl::InvalidArgumentError(absl::StrCat(path, " is \"", text, "\"; it takes ", accepted));
}

std::string Unquoted(absl::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

// "[a, b]" or "a,b" → a, b; "[]" and "" → nothing.
std::vector<absl::string_view> Elements(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "[")) absl::ConsumeSuffix(&text, "]");
  if (absl::StripAsciiWhitespace(text).empty()) return {};
  std::vector<absl::string_view> elements = absl::StrSplit(text, ',');
  for (absl::string_view& element : elements) element = absl::StripAsciiWhitespace(element);
  return elements;
}

// true, 3, 0.5, [1, 2.5]; anything else is a string.
v1::Value PlainValue(absl::string_view text) {
  v1::Value value;
  int64_t integer = 0;
  double real = 0;
  if (text == "true" || text == "false") {
    value.set_bool_value(text == "true");
  } else if (absl::SimpleAtoi(text, &integer)) {
    value.set_int_value(integer);
  } else if (absl::SimpleAtod(text, &real)) {
    value.set_double_value(real);
  } else if (!text.empty() && text.front() == '[') {
    bool numbers = true;
    for (const absl::string_view element : Elements(text)) {
      numbers = numbers && absl::SimpleAtod(element, &real);
      if (numbers) value.mutable_double_list()->add_values(real);
    }
    if (!numbers) {
      value.clear_double_list();
      for (const absl::string_view element : Elements(text)) {
        value.mutable_string_list()->add_values(Unquoted(element));
      }
    } else {
      value.mutable_double_list();
    }
  } else {
    value.set_string_value(Unquoted(text));
  }
  return value;
}

absl::Status ParseMessage(absl::string_view path, absl::string_view text, Message& message) {
  if (absl::ConsumePrefix(&text, "{") && absl::ConsumeSuffix(&text, "}")) {
    message.Clear();
    return TextprotoFile::Parse(std::string(path), std::string(text), message).status();
  }
  if (message.GetDescriptor() == v1::Value::descriptor()) {
    message.CopyFrom(PlainValue(text));
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    names.push_back(message.GetDescriptor()->field(i)->name());
  }
  return Mistyped(path, text, "fields in braces; its fields are " + absl::StrJoin(names, ", "));
}

// Sets a scalar field, or appends to a repeated one.
absl::Status PutScalar(absl::string_view path, absl::string_view text, const FieldDescriptor& field,
                       Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const auto put = [&](auto set, auto add, auto value) {
    repeated ? (reflection.*add)(&message, &field, value)
             : (reflection.*set)(&message, &field, value);
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return Mistyped(path, text, "a whole number");
      return put(&Reflection::SetInt32, &Reflection::AddInt32, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return Mistyped(path, text, "a whole number");
      return put(&Reflection::SetInt64, &Reflection::AddInt64, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      uint32_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return Mistyped(path, text, "a whole number from 0");
      return put(&Reflection::SetUInt32, &Reflection::AddUInt32, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      uint64_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return Mistyped(path, text, "a whole number from 0");
      return put(&Reflection::SetUInt64, &Reflection::AddUInt64, value);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value)) return Mistyped(path, text, "a number");
      return put(&Reflection::SetDouble, &Reflection::AddDouble, value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      float value = 0;
      if (!absl::SimpleAtof(text, &value)) return Mistyped(path, text, "a number");
      return put(&Reflection::SetFloat, &Reflection::AddFloat, value);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      if (!absl::SimpleAtob(text, &value)) return Mistyped(path, text, "true or false");
      return put(&Reflection::SetBool, &Reflection::AddBool, value);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      repeated ? reflection.AddString(&message, &field, Unquoted(text))
               : reflection.SetString(&message, &field, Unquoted(text));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = field.enum_type()->FindValueByName(std::string(text));
      if (value == nullptr) {
        std::vector<std::string> names;
        for (int i = 0; i < field.enum_type()->value_count(); ++i) {
          names.push_back(field.enum_type()->value(i)->name());
        }
        return Mistyped(path, text, "one of " + absl::StrJoin(names, ", "));
      }
      return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, value->number());
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return ParseMessage(path, text,
                      repeated ? *reflection.AddMessage(&message, &field)
                               : *reflection.MutableMessage(&message, &field));
}

// The entry of a map with string keys; made where it is not there.
Message& MapEntry(const std::string& key, const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* key_field = field.message_type()->map_key();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    Message* entry = reflection.MutableRepeatedMessage(&message, &field, i);
    if (entry->GetReflection()->GetString(*entry, key_field) == key) return *entry;
  }
  Message* entry = reflection.AddMessage(&message, &field);
  entry->GetReflection()->SetString(entry, key_field, key);
  return *entry;
}

absl::Status Apply(absl::string_view whole_path, absl::string_view path, absl::string_view text,
                   Message& message) {
  const size_t end = path.find_first_of(".[");
  const std::string name(path.substr(0, end));
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr) {
    std::vector<std::string> names;
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      names.push_back(message.GetDescriptor()->field(i)->name());
    }
    return absl::InvalidArgumentError(
        absl::StrCat("there is no field \"", name, "\" in ", whole_path, NearestHint(name, names)));
  }
  absl::string_view rest = end == absl::string_view::npos ? "" : path.substr(end);
  const Reflection& reflection = *message.GetReflection();
  if (field->is_map() && !rest.empty()) {
    const bool bracket = rest.front() == '[';
    rest.remove_prefix(1);
    if (bracket && !absl::ConsumeSuffix(&rest, "]")) {
      return absl::InvalidArgumentError(absl::StrCat(whole_path, " has no closing bracket"));
    }
    Message& entry = MapEntry(Unquoted(rest), *field, message);
    return PutScalar(whole_path, text, *field->message_type()->map_value(), entry);
  }
  if (field->is_repeated()) {
    if (!rest.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(whole_path, ": \"", name, "\" is set as a whole, as in ", name, "=[1,2]"));
    }
    reflection.ClearField(&message, field);
    for (const absl::string_view element : Elements(text)) {
      if (absl::Status status = PutScalar(whole_path, element, *field, message); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }
  if (rest.empty()) return PutScalar(whole_path, text, *field, message);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || rest.front() != '.') {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" in ", whole_path, " has no fields of its own"));
  }
  return Apply(whole_path, rest.substr(1), text, *reflection.MutableMessage(&message, field));
}

}  // namespace

absl::Status ApplyOverride(absl::string_view assignment, google::protobuf::Message& message) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(assignment, absl::MaxSplits('=', 1));
  const absl::string_view path = absl::StripAsciiWhitespace(parts.first);
  if (path.empty() || parts.first.size() == assignment.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", assignment, "\" is not of the form path=value"));
  }
  const std::unique_ptr<Message> changed(message.New());
  changed->CopyFrom(message);
  absl::Status status = Apply(path, path, absl::StripAsciiWhitespace(parts.second), *changed);
  if (status.ok()) message.CopyFrom(*changed);
  return status;
}

}  // namespace hivewire
