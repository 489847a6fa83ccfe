#include "base/textproto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hivewire/v1/spec.pb.h"

namespace hivewire {
namespace {

using ::testing::HasSubstr;

constexpr char kText[] = R"(id: "Swing-v0"
observation {
  name: "angle"
  shape: 1
}
observation {
  name: "speed"
  low: -8
  low: -9
}
default_camera {
  distance: 2
}
)";

TEST(Textproto, LocatesAFieldByItsPath) {
  v1::EnvSpec spec;
  const auto file = TextprotoFile::Parse("swing.textproto", kText, spec);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(spec.observation_size(), 2);
  EXPECT_EQ(file->Locate("id"), "swing.textproto:1");
  EXPECT_EQ(file->Locate("observation[1].name"), "swing.textproto:7");
  EXPECT_EQ(file->Locate("observation[1].low[1]"), "swing.textproto:9");
  EXPECT_EQ(file->Locate("default_camera.distance"), "swing.textproto:12");
}

TEST(Textproto, LocatesTheMessageAroundAFieldThatIsMissing) {
  v1::EnvSpec spec;
  const auto file = TextprotoFile::Parse("swing.textproto", kText, spec);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->Locate("observation[1].unit"), "swing.textproto:6");
  EXPECT_EQ(file->Locate("no_such_field"), "swing.textproto:1");
  EXPECT_EQ(file->Locate(""), "swing.textproto:1");
}

TEST(Textproto, NamesLineAndColumnOfASyntaxError) {
  v1::EnvSpec spec;
  const auto file = TextprotoFile::Parse("a.textproto", "id: \"x\"\nframe_skip: many\n", spec);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("a.textproto:2:13: "));
}

TEST(Textproto, NamesTheNearestFieldForAnUnknownOne) {
  v1::EnvSpec spec;
  const auto file = TextprotoFile::Parse("a.textproto", "frameskip: 2", spec);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("nearest: frame_skip"));
}

TEST(Textproto, NamesTheNearestEnumValueForAnUnknownOne) {
  v1::LayoutLeaf leaf;
  const auto file = TextprotoFile::Parse("a.textproto", "role: LEAF_ROLE_REWRD", leaf);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("nearest: LEAF_ROLE_REWARD"));
}

TEST(Textproto, NamesAFileThatCannotBeRead) {
  v1::EnvSpec spec;
  const auto missing = TextprotoFile::Read(testing::TempDir() + "/none.textproto", spec);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("none.textproto"));
  EXPECT_EQ(TextprotoFile::Read(testing::TempDir(), spec).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hivewire
