// An env's options from "name=value" texts, typed as the env's OptionSpecs say.
#ifndef HIVEWIRE_CLIENT_COMMANDS_ENV_OPTIONS_H_
#define HIVEWIRE_CLIENT_COMMANDS_ENV_OPTIONS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// Lists are comma-separated, with or without brackets. INVALID_ARGUMENT naming the option and its
// value for one that is unknown (with the nearest names), given twice or of another type; ranges
// and choices are the server's to check.
absl::StatusOr<std::map<std::string, v1::Value>> ParseEnvOptions(
    const google::protobuf::RepeatedPtrField<v1::OptionSpec>& specs,
    absl::Span<const std::string> assignments);

// "double", "list of text", …
std::string TypeName(v1::ValueType type);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_ENV_OPTIONS_H_
