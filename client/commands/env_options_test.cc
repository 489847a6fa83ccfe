#include "client/commands/env_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hivewire {
namespace {

absl::StatusOr<std::map<std::string, v1::Value>> Parse(
    const std::vector<std::string>& assignments) {
  v1::EnvSpec spec;
  for (const auto& [name, type] :
       {std::pair("frame_skip", v1::VALUE_TYPE_INT), std::pair("g", v1::VALUE_TYPE_DOUBLE),
        std::pair("terminate", v1::VALUE_TYPE_BOOL), std::pair("xml_file", v1::VALUE_TYPE_STRING),
        std::pair("healthy_z_range", v1::VALUE_TYPE_DOUBLE_LIST)}) {
    spec.add_options()->set_name(name);
    spec.mutable_options()->rbegin()->set_type(type);
  }
  return ParseEnvOptions(spec.options(), assignments);
}

std::string ErrorOf(const std::string& assignment) {
  return std::string(Parse({assignment}).status().message());
}

TEST(EnvOptions, TakeTheTypeThatTheEnvDeclares) {
  const auto options =
      Parse({"frame_skip=5", "g=5", "terminate=false", "xml_file=5", "healthy_z_range=[0.2, inf]"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->at("frame_skip").int_value(), 5);
  EXPECT_EQ(options->at("g").double_value(), 5);
  EXPECT_EQ(options->at("terminate").kind_case(), v1::Value::kBoolValue);
  EXPECT_EQ(options->at("xml_file").string_value(), "5");
  ASSERT_EQ(options->at("healthy_z_range").double_list().values_size(), 2);
  EXPECT_EQ(options->at("healthy_z_range").double_list().values(0), 0.2);
}

TEST(EnvOptions, ErrorsNameTheOptionItsValueAndItsType) {
  EXPECT_EQ(ErrorOf("frame_skip=2.5"), "--option: frame_skip = \"2.5\" is not of its type, int");
  EXPECT_EQ(ErrorOf("healthy_z_range=1,x"),
            "--option: healthy_z_range = \"1,x\" is not of its type, list of doubles");
  EXPECT_EQ(ErrorOf("frame_skip"), "--option: \"frame_skip\" is not name=value");
  EXPECT_EQ(std::string(Parse({"g=1", "g=2"}).status().message()), "--option: g is given twice");
}

TEST(EnvOptions, AnUnknownOptionGetsTheNearestNames) {
  EXPECT_EQ(ErrorOf("frameskip=2"),
            "--option: the env has no option \"frameskip\"; nearest: frame_skip");
}

}  // namespace
}  // namespace hivewire
