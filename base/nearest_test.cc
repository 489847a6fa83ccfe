#include "base/nearest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hivewire {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kIds = {"Acrobot-v1",     "Ant-v5",    "CartPole-v1",
                                       "HalfCheetah-v5", "Hopper-v5", "Pendulum-v1"};

TEST(Nearest, FindsAMistypedName) {
  EXPECT_EQ(NearestNames("Pednulum-v1", kIds)[0], "Pendulum-v1");
}

TEST(Nearest, IgnoresCase) { EXPECT_EQ(NearestNames("cartpole-V1", kIds)[0], "CartPole-v1"); }

TEST(Nearest, FindsANameByAPartOfIt) {
  EXPECT_THAT(NearestNames("cheetah", kIds), ElementsAre("HalfCheetah-v5"));
}

TEST(Nearest, LeavesOutNamesWithLittleInCommon) {
  EXPECT_THAT(NearestNames("zzzzzzzz", kIds), IsEmpty());
}

TEST(Nearest, GivesNoMoreThanAsked) { EXPECT_EQ(NearestNames("v5", kIds, 2).size(), 2u); }

TEST(Nearest, HintListsKnownNamesWhereNoneIsNear) {
  const std::vector<std::string> names = {"hip", "knee"};
  EXPECT_EQ(NearestHint("kne", names), "; nearest: knee");
  EXPECT_EQ(NearestHint("zzzzzz", names), "; known: hip, knee");
  EXPECT_EQ(NearestHint("zzzzzz", {}), "; there are none");
}

TEST(Nearest, HintStaysShortForManyNames) {
  EXPECT_EQ(NearestHint("-", std::vector<std::string>(9, "long_name")),
            "; known: long_name, long_name, long_name, long_name, long_name, long_name, "
            "long_name, long_name, …");
}

TEST(Excerpt, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(Excerpt("knee"), "knee");
  EXPECT_EQ(Excerpt(std::string(1000, 'x')), std::string(100, 'x') + "…");
  EXPECT_EQ(Excerpt(std::string(99, 'x') + "ππ"), std::string(99, 'x') + "…");
}

}  // namespace
}  // namespace hivewire
