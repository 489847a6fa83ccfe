#include "base/json.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hivewire {
namespace {

std::string Quote(absl::string_view text) {
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

}  // namespace

JsonObject& JsonObject::AddRaw(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ", ", Quote(name), ": ", json);
  return *this;
}

JsonObject& JsonObject::Add(absl::string_view name, absl::string_view value) {
  return AddRaw(name, Quote(value));
}

JsonObject& JsonObject::Add(absl::string_view name, const char* value) {
  return AddRaw(name, Quote(value));
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
  if (!std::isfinite(value)) return AddNull(name);
  return AddRaw(name, absl::StrCat(value));
}

JsonObject& JsonObject::AddNull(absl::string_view name) { return AddRaw(name, "null"); }

std::string JsonObject::ToString() const { return absl::StrCat("{", members_, "}"); }

}  // namespace hivewire
