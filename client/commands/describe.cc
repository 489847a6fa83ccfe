// hivectl describe: all that a client can know of an env.
#include <google/protobuf/util/json_util.h>

#include <cctype>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/value.h"
#include "client/commands/command.h"
#include "client/commands/env_options.h"
#include "client/commands/session.h"
#include "client/commands/table.h"

namespace hivewire {
namespace {

std::string DTypeName(v1::DType dtype) {
  std::string name = v1::DType_Name(dtype).substr(sizeof("DTYPE_") - 1);
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return name;
}

// One bound for all elements, or that they differ.
std::string BoundText(const google::protobuf::RepeatedField<double>& bounds,
                      absl::string_view unbounded) {
  if (bounds.empty()) return std::string(unbounded);
  for (const double bound : bounds) {
    if (bound != bounds[0]) return "by element";
  }
  return absl::StrCat(bounds[0]);
}

std::string RangeText(const v1::LeafSpec& leaf) {
  if (leaf.cardinality() > 0)
    return absl::StrCat(leaf.start(), " … ", leaf.start() + leaf.cardinality() - 1);
  return absl::StrCat(BoundText(leaf.low(), "-inf"), " … ", BoundText(leaf.high(), "inf"));
}

// "root.z [m] root.qw …"
std::string ElementsText(const v1::LeafSpec& leaf) {
  std::vector<std::string> texts(leaf.element_names().begin(), leaf.element_names().end());
  for (int k = 0; k < leaf.element_units_size() && k < leaf.element_names_size(); ++k) {
    if (!leaf.element_units(k).empty())
      absl::StrAppend(&texts[static_cast<size_t>(k)], " [", leaf.element_units(k), "]");
  }
  return absl::StrJoin(texts, " ");
}

void PrintLeaves(absl::string_view title,
                 const google::protobuf::RepeatedPtrField<v1::LeafSpec>& leaves,
                 std::ostream& out) {
  if (leaves.empty()) return;
  out << '\n' << title << '\n';
  Table table;
  for (const v1::LeafSpec& leaf : leaves) {
    table.AddRow({absl::StrCat("  ", leaf.name()), DTypeName(leaf.dtype()),
                  absl::StrCat("(", absl::StrJoin(leaf.shape(), ", "), ")"), RangeText(leaf),
                  leaf.unit(), leaf.doc()});
    if (!leaf.element_names().empty()) table.AddRow({"", ElementsText(leaf)});
  }
  table.Print(out);
}

std::string OptionRange(const v1::OptionSpec& option) {
  if (!option.has_minimum() && !option.has_maximum()) return "";
  return absl::StrCat(option.has_minimum() ? absl::StrCat(option.minimum()) : "-inf", " … ",
                      option.has_maximum() ? absl::StrCat(option.maximum()) : "inf");
}

std::string OptionText(const v1::OptionSpec& option) {
  if (option.choices().empty()) return option.doc();
  return absl::StrCat(option.doc(), " One of: ", absl::StrJoin(option.choices(), ", "), ".");
}

void PrintOptions(const v1::EnvSpec& spec, std::ostream& out) {
  if (spec.options().empty()) return;
  out << "\nOptions (--option name=value)\n";
  Table table;
  for (const v1::OptionSpec& option : spec.options()) {
    table.AddRow({absl::StrCat("  ", option.name()), TypeName(option.type()),
                  option.has_default_value() ? FormatValue(option.default_value()) : "not set",
                  OptionRange(option), OptionText(option)});
  }
  table.Print(out);
}

void PrintSpec(const v1::EnvSpec& spec, std::ostream& out) {
  out << spec.id() << ": " << spec.description() << "\n\n";
  Table facts;
  facts.AddRow({"engine", spec.engine()});
  if (spec.control_dt() > 0) {
    facts.AddRow(
        {"time", spec.physics_dt() > 0
                     ? absl::StrFormat("%g s a step: %d × %g s of physics", spec.control_dt(),
                                       spec.frame_skip(), spec.physics_dt())
                     : absl::StrFormat("%g s a step", spec.control_dt())});
  }
  facts.AddRow({"episode", spec.max_episode_steps() > 0
                               ? absl::StrCat("at most ", spec.max_episode_steps(), " steps")
                               : "no limit"});
  if (spec.has_reward_threshold())
    facts.AddRow({"solved at", absl::StrCat("a return of ", spec.reward_threshold())});
  if (spec.renders()) {
    facts.AddRow({"renders", absl::StrFormat("%g frames/s", spec.render_fps())});
    facts.AddRow({"cameras", spec.cameras().empty()
                                 ? "the default view"
                                 : absl::StrJoin(spec.cameras(), ", ") + ", and the default view"});
  }
  facts.Print(out);
  PrintLeaves("Observation", spec.observation(), out);
  PrintLeaves("Action", spec.action(), out);
  PrintLeaves("Info", spec.info(), out);
  PrintOptions(spec, out);
}

absl::Status Describe(const CommandContext& context) {
  const absl::StatusOr<std::string> env_id = EnvId(context.arguments);
  if (!env_id.ok()) return env_id.status();
  const auto client = ConnectToFirst();
  if (!client.ok()) return client.status();
  const auto spec = DescribeEnv(**client, context.arguments);
  if (!spec.ok()) return spec.status();
  if (!context.arguments.Switch("json")) {
    PrintSpec(*spec, context.out);
    return absl::OkStatus();
  }
  google::protobuf::util::JsonPrintOptions style;
  style.add_whitespace = true;
  style.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(*spec, &json, style).ok())
    return absl::InternalError("the spec cannot be written as JSON");
  context.out << json;
  return absl::OkStatus();
}

}  // namespace

Command DescribeCommand() {
  return {.name = "describe",
          .operand = "ENV",
          .summary = "Shows an env's observation, action, info, options, cameras and time steps.",
          .example = "describe Ant-v5 --option frame_skip=2",
          .flags = WithEnvFlags(
              {{.name = "json", .kind = FlagKind::kSwitch, .doc = "Print the EnvSpec as JSON."}}),
          .run = Describe};
}

}  // namespace hivewire
