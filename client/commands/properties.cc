// hivectl properties: what of an env's lanes can be read and set between steps.
#include <ostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/value.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/commands/table.h"

namespace hivewire {
namespace {

// NAME=NUMBER or NAME=[NUMBER,NUMBER].
absl::Status Assign(const std::string& assignment, v1::LaneProperties& lane) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(assignment, absl::MaxSplits('=', 1));
  absl::string_view text = parts.second;
  const bool is_list = absl::ConsumePrefix(&text, "[") && absl::ConsumeSuffix(&text, "]");
  v1::Value value;
  if (is_list) value.mutable_double_list();
  for (const absl::string_view word : absl::StrSplit(text, ',')) {
    double number = 0;
    if (parts.first.empty() || !absl::SimpleAtod(word, &number)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--set: \"", assignment, "\" is neither name=number nor name=[number,number]"));
    }
    is_list ? value.mutable_double_list()->add_values(number) : value.set_double_value(number);
  }
  (*lane.mutable_values())[std::string(parts.first)] = value;
  return absl::OkStatus();
}

absl::Status Properties(const CommandContext& context) {
  v1::LaneProperties wanted;
  for (const std::string& assignment : context.arguments.List("set")) {
    const absl::Status status = Assign(assignment, wanted);
    if (!status.ok()) return status;
  }
  const auto env = MakeEnv(context.arguments, /*num_envs=*/1);
  if (!env.ok()) return env.status();
  StepResult result;
  absl::Status status = (*env)->Reset(context.arguments.Seed("seed"), result);
  if (status.ok()) status = (*env)->SetProperties({wanted});
  if (!status.ok()) return status;
  const auto lanes = (*env)->GetProperties({}, {});
  if (!lanes.ok()) return lanes.status();
  Table table({"PROPERTY", "SHAPE", "VALUE", "UNIT", "MEANING"});
  for (const v1::PropertySpec& property : (*env)->spec().properties()) {
    const auto value = lanes->front().values().find(property.name());
    if (value == lanes->front().values().end()) continue;
    table.AddRow({property.name(), absl::StrCat("[", absl::StrJoin(property.shape(), ", "), "]"),
                  FormatValue(value->second), property.unit(),
                  absl::StrCat(property.doc(), property.writable() ? "" : " (read-only)")});
  }
  table.Print(context.out);
  return absl::OkStatus();
}

}  // namespace

Command PropertiesCommand() {
  return {.name = "properties",
          .operand = "ENV",
          .summary = "Shows what of a lane can be read and set between steps, and sets it.",
          .example = "properties Hopper-v5 --set gravity=[0,0,-1.6]",
          .flags = WithEnvFlags({{.name = "seed",
                                  .kind = FlagKind::kSeed,
                                  .default_value = "0",
                                  .doc = "Of the reset that comes first."},
                                 {.name = "set",
                                  .kind = FlagKind::kList,
                                  .doc = "A value to set before they are shown; may be given "
                                         "several times."}}),
          .run = Properties};
}

}  // namespace hivewire
