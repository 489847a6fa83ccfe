#include "client/commands/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

const std::vector<FlagSpec> kFlags = {
    {.name = "num_envs", .kind = FlagKind::kCount, .default_value = "1", .doc = ""},
    {.name = "fps", .kind = FlagKind::kNumber, .doc = ""},
    {.name = "seed", .kind = FlagKind::kSeed, .doc = ""},
    {.name = "json", .kind = FlagKind::kSwitch, .doc = ""},
    {.name = "option", .kind = FlagKind::kList, .doc = ""},
    {.name = "output", .kind = FlagKind::kText, .doc = ""}};

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& arguments) {
  return Arguments::Parse(kFlags, arguments);
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  return std::string(Parse(arguments).status().message());
}

TEST(Arguments, FlagsMayStandAnywhereAndTakeTheirValueEitherWay) {
  const auto arguments =
      Parse({"--num_envs=8", "Ant-v5", "--output", "a=b.png", "--json", "--seed", "7"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->operands(), std::vector<std::string>{"Ant-v5"});
  EXPECT_EQ(arguments->Count("num_envs"), 8);
  EXPECT_EQ(arguments->Text("output"), "a=b.png");
  EXPECT_TRUE(arguments->Switch("json"));
  EXPECT_EQ(arguments->Seed("seed"), 7u);
}

TEST(Arguments, WhatIsNotGivenHasItsDefaultOrIsAbsent) {
  const auto arguments = Parse({});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->Count("num_envs"), 1);
  EXPECT_FALSE(arguments->Has("fps"));
  EXPECT_FALSE(arguments->Switch("json"));
}

TEST(Arguments, AListKeepsEachValueAndOtherFlagsTheLast) {
  const auto arguments = Parse({"--option", "a=1", "--option=b=2", "--num_envs=2", "--num_envs=3"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->List("option"), (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(arguments->Count("num_envs"), 3);
}

TEST(Arguments, NothingAfterTwoDashesIsAFlag) {
  const auto arguments = Parse({"--", "--json"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->operands(), std::vector<std::string>{"--json"});
  EXPECT_FALSE(arguments->Switch("json"));
}

TEST(Arguments, ErrorsNameTheFlagItsValueAndWhatIsAccepted) {
  EXPECT_EQ(ErrorOf({"--num_envs=many"}), "--num_envs: \"many\" is not a whole number from 1");
  EXPECT_EQ(ErrorOf({"--num_envs=0"}), "--num_envs: \"0\" is not a whole number from 1");
  EXPECT_EQ(ErrorOf({"--fps=-1"}), "--fps: \"-1\" is not a number above 0");
  EXPECT_EQ(ErrorOf({"--seed=-1"}), "--seed: \"-1\" is not a whole number from 0");
  EXPECT_EQ(ErrorOf({"--output"}), "--output needs a value");
  EXPECT_TRUE(absl::StrContains(ErrorOf({"--json=maybe"}), "--json is a switch"));
}

TEST(Arguments, AnUnknownFlagGetsTheNearestNames) {
  EXPECT_EQ(ErrorOf({"--num_env=3"}).substr(0, 47),
            "unknown option --num_env; nearest: --num_envs");
}

TEST(Arguments, ConnectionFlagsAreTakenByEveryCommand) {
  absl::FlagSaver saver;
  ASSERT_TRUE(Parse({"--server", "tcp:sim:7", "--tls", "--connect_timeout=250ms"}).ok());
  EXPECT_EQ(ServerFromFlags(), "tcp:sim:7");
  EXPECT_TRUE(ConnectionFromFlags().tls);
  EXPECT_EQ(ConnectionFromFlags().connect_timeout, absl::Milliseconds(250));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"--connect_timeout=soon"}), "--connect_timeout"));
}

}  // namespace
}  // namespace hivewire
