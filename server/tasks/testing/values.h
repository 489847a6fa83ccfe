// Values of options, for tests.
#ifndef HIVEWIRE_SERVER_TASKS_TESTING_VALUES_H_
#define HIVEWIRE_SERVER_TASKS_TESTING_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hivewire/v1/types.pb.h"

namespace hivewire {

inline v1::Value Bool(bool value) {
  v1::Value made;
  made.set_bool_value(value);
  return made;
}

inline v1::Value Int(int64_t value) {
  v1::Value made;
  made.set_int_value(value);
  return made;
}

inline v1::Value Double(double value) {
  v1::Value made;
  made.set_double_value(value);
  return made;
}

inline v1::Value String(const std::string& value) {
  v1::Value made;
  made.set_string_value(value);
  return made;
}

inline v1::Value Doubles(const std::vector<double>& values) {
  v1::Value made;
  made.mutable_double_list()->mutable_values()->Assign(values.begin(), values.end());
  return made;
}

inline v1::Value Strings(const std::vector<std::string>& values) {
  v1::Value made;
  made.mutable_string_list()->mutable_values()->Assign(values.begin(), values.end());
  return made;
}

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_TESTING_VALUES_H_
