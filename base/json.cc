#include "base/json.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace hivewire {

std::string JsonString(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string JsonNumber(double number) {
  return std::isfinite(number) ? absl::StrFormat("%.10g", number) : "null";
}

std::string JsonList(absl::Span<const double> numbers) {
  const auto append = [](std::string* out, double number) { out->append(JsonNumber(number)); };
  return absl::StrCat("[", absl::StrJoin(numbers, ", ", append), "]");
}

JsonObject& JsonObject::AddRaw(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ", ", JsonString(name), ": ", json);
  return *this;
}

JsonObject& JsonObject::Add(absl::string_view name, absl::string_view value) {
  return AddRaw(name, JsonString(value));
}

JsonObject& JsonObject::Add(absl::string_view name, const char* value) {
  return AddRaw(name, JsonString(value));
}

JsonObject& JsonObject::Add(absl::string_view name, bool value) {
  return AddRaw(name, value ? "true" : "false");
}

JsonObject& JsonObject::Add(absl::string_view name, int64_t value) {
  return AddRaw(name, absl::StrCat(value));
}

JsonObject& JsonObject::Add(absl::string_view name, uint64_t value) {
  return AddRaw(name, absl::StrCat(value));
}

JsonObject& JsonObject::Add(absl::string_view name, int value) {
  return AddRaw(name, absl::StrCat(value));
}

JsonObject& JsonObject::Add(absl::string_view name, double value) {
  return AddRaw(name, JsonNumber(value));
}

JsonObject& JsonObject::AddNull(absl::string_view name) { return AddRaw(name, "null"); }

std::string JsonObject::ToString() const { return absl::StrCat("{", members_, "}"); }

}  // namespace hivewire
