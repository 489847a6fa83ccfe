// Options of an env: how a task class declares them, how given ones are checked against that, and
// how a task reads them.
//
//   const std::vector<v1::OptionSpec> kOptions = {DoubleOption("g", 10, "Gravity, m/s²."), …};
//   const auto options = ResolveOptions(kOptions, given);
//   gravity_ = GetDouble(*options, "g");
#ifndef HIVEWIRE_SERVER_TASKS_OPTIONS_H_
#define HIVEWIRE_SERVER_TASKS_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/value.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// By name.
using Options = std::map<std::string, v1::Value>;

// Declarations. Bounds, where there are any, are set on the result.
v1::OptionSpec BoolOption(absl::string_view name, bool default_value, absl::string_view doc);
v1::OptionSpec IntOption(absl::string_view name, int64_t default_value, absl::string_view doc);
v1::OptionSpec DoubleOption(absl::string_view name, double default_value, absl::string_view doc);
v1::OptionSpec DoubleListOption(absl::string_view name, const std::vector<double>& default_value,
                                absl::string_view doc);
v1::OptionSpec StringOption(absl::string_view name, absl::string_view default_value,
                            const std::vector<std::string>& choices, absl::string_view doc);
v1::OptionSpec StringListOption(absl::string_view name,
                                const std::vector<std::string>& default_value,
                                absl::string_view doc);

// `given` and, for what is not given, the defaults of `specs`; an option without a default is
// absent where it was not given. An int is taken for a double. BAD_OPTION naming the option, its
// value and what is accepted, for one that is unknown, ill-typed, out of range, NaN or no choice.
absl::StatusOr<Options> ResolveOptions(absl::Span<const v1::OptionSpec> specs,
                                       const Options& given);

// Of resolved options. The option must be there and of that type.
bool GetBool(const Options& options, absl::string_view name);
int64_t GetInt(const Options& options, absl::string_view name);
double GetDouble(const Options& options, absl::string_view name);
std::vector<double> GetDoubleList(const Options& options, absl::string_view name);
const std::string& GetString(const Options& options, absl::string_view name);
std::vector<std::string> GetStringList(const Options& options, absl::string_view name);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_OPTIONS_H_
