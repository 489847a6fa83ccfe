// JSON on one line, for programs whose output other programs read.
//
// A plain value. Members stand in the order in which they were added.
#ifndef HIVEWIRE_BASE_JSON_H_
#define HIVEWIRE_BASE_JSON_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

// In quotation marks.
std::string JsonString(absl::string_view text);
// Ten digits; null where the number is not finite, which JSON cannot write.
std::string JsonNumber(double number);
std::string JsonList(absl::Span<const double> numbers);

class JsonObject {
 public:
  JsonObject& Add(absl::string_view name, absl::string_view value);
  JsonObject& Add(absl::string_view name, const char* value);
  JsonObject& Add(absl::string_view name, bool value);
  JsonObject& Add(absl::string_view name, int64_t value);
  JsonObject& Add(absl::string_view name, uint64_t value);
  JsonObject& Add(absl::string_view name, int value);
  // As JsonNumber.
  JsonObject& Add(absl::string_view name, double value);
  JsonObject& AddNull(absl::string_view name);
  // `json` as it is: an array, or another object.
  JsonObject& AddRaw(absl::string_view name, absl::string_view json);

  std::string ToString() const;

 private:
  std::string members_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_JSON_H_
