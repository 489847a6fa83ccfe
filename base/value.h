// v1::Value for people.
#ifndef HIVEWIRE_BASE_VALUE_H_
#define HIVEWIRE_BASE_VALUE_H_

#include <string>

#include "hivewire/v1/types.pb.h"

namespace hivewire {

// As a person would write it: 0.5, true, "text", [1, 2].
std::string FormatValue(const v1::Value& value);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_VALUE_H_
