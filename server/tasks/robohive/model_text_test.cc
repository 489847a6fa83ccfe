#include "server/tasks/robohive/model_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKitchen[] = "multi_task/common/kitchen/franka_kitchen.xml";

// A SimHive in which every file that the kitchen includes is an empty one.
class EmptySimHive {
 public:
  EmptySimHive() : folder_(fs::path(testing::TempDir()) / "simhive") {
    fs::remove_all(folder_);
    for (int k = 0; k < 100; ++k) {
      const auto text = RoboHiveModelText(kKitchen, folder_.string());
      if (text.ok()) break;
      const std::string message(text.status().message());
      const size_t begin = message.find(" has no ") + 8;
      Write(message.substr(begin, message.find(';') - begin), "<mujocoinclude></mujocoinclude>");
    }
  }

  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }

  std::string folder() const { return folder_.string(); }

 private:
  const fs::path folder_;
};

TEST(ModelText, ModelsAreTheWholeOnesOfTheWheel) {
  const std::vector<std::string> models = RoboHiveModels();
  EXPECT_THAT(models, testing::Contains(kKitchen));
  EXPECT_THAT(models, Not(testing::Contains("hands/assets/DAPG_assets.xml")));  // a part
  EXPECT_THAT(models, testing::Contains("quadrupeds/dkitty/dkitty_walk_v0.xml"));
}

TEST(ModelText, AMissingFileIsNamedWithWhatGetsIt) {
  const auto text = RoboHiveModelText(kKitchen, "/nowhere");
  EXPECT_EQ(ReasonOf(text.status()), v1::ERROR_REASON_NOT_SUPPORTED);
  EXPECT_THAT(std::string(text.status().message()),
              testing::AllOf(HasSubstr("/nowhere has no scene_sim/topfloor_scene.xml"),
                             HasSubstr("deploy/fetch_simhive.sh")));
}

TEST(ModelText, WhatIsIncludedStandsInItsPlaceAndPathsLeadToSimHive) {
  const EmptySimHive simhive;
  simhive.Write("scene_sim/topfloor_scene.xml",
                "<!-- <mujocoinclude> --><mujocoinclude a='b'>\n<first/><second/>\n"
                "</mujocoinclude>");
  const auto text = RoboHiveModelText(kKitchen, simhive.folder());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("<first/><second/>"));
  EXPECT_THAT(*text, Not(HasSubstr("topfloor_scene.xml")));
  EXPECT_THAT(*text, Not(HasSubstr("mujocoinclude")));
  EXPECT_THAT(*text, HasSubstr("meshdir=\"" + simhive.folder() + "/franka_sim\""));
}

TEST(ModelText, WhatMuJoCoRefusesIsChangedOnlyOnTheWay) {
  const EmptySimHive simhive;
  const std::string asset = "furniture_sim/kettle/kettle_asset.xml";
  const std::string before = "<mujocoinclude><default class=\"kettle\"></default></mujocoinclude>";
  simhive.Write(asset, before);
  const auto text = RoboHiveModelText(kKitchen, simhive.folder());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("<default></default>"));
  std::ifstream stream(fs::path(simhive.folder()) / asset);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), before);
}

TEST(ModelText, IncludesInACircleAreRefused) {
  const EmptySimHive simhive;
  simhive.Write("scene_sim/topfloor_scene.xml",
                "<mujocoinclude><include file=\"../scene_sim/topfloor_scene.xml\"/>"
                "<include file=\"topfloor_scene.xml\"/></mujocoinclude>");
  const auto text = RoboHiveModelText(kKitchen, simhive.folder());
  EXPECT_FALSE(text.ok());
}

TEST(ModelText, AMovedBodyIsTheLastChildOfItsNewParent) {
  const auto moved = MoveBody(
      "<w><body name=\"a\"><body name=\"b\"/><geom/></body><body name=\"hand\"><body "
      "name=\"c\"><geom/></body></body></w>",
      "hand", "a");
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(*moved,
            "<w><body name=\"a\"><body name=\"b\"/><geom/><body name=\"hand\"><body "
            "name=\"c\"><geom/></body></body></body></w>");
  EXPECT_EQ(ReasonOf(MoveBody("<w/>", "hand", "a").status()), v1::ERROR_REASON_BAD_MODEL);
}

}  // namespace
}  // namespace hivewire
