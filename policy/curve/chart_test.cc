#include "policy/curve/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hivewire {
namespace {

TEST(Chart, DrawsARisingLineFromCornerToCorner) {
  const std::vector<ScalarPoint> points = {{0, 0}, {1000, 10}, {2000, 20}, {3000, 30}};
  EXPECT_EQ(DrawChart("return", points, {.columns = 2, .rows = 1}),
            "    return\n"
            "30 │⣠⠞\n"
            "   └──\n"
            "    0 3000 frames\n");
}

TEST(Chart, AveragesPointsThatShareAColumn) {
  const std::vector<ScalarPoint> points = {{0, 0}, {1, 4}, {500, 2}, {1000, 2}};
  const std::vector<ScalarPoint> level = {{0, 2}, {500, 2}, {1000, 2}};
  EXPECT_EQ(DrawChart("return", points, {.columns = 4, .rows = 2}),
            DrawChart("return", level, {.columns = 4, .rows = 2}));
}

TEST(Chart, ASinglePointIsDrawn) {
  const std::vector<ScalarPoint> points = {{7, 3}};
  EXPECT_NE(DrawChart("return", points).find("⡀"), std::string::npos);
}

TEST(Chart, LeavesOutWhatIsNotFinite) {
  const std::vector<ScalarPoint> points = {{0, 1}, {1, NAN}, {2, INFINITY}, {3, 1}};
  const std::vector<ScalarPoint> finite = {{0, 1}, {3, 1}};
  EXPECT_EQ(DrawChart("return", points), DrawChart("return", finite));
  EXPECT_EQ(DrawChart("return", {}), "");
}

}  // namespace
}  // namespace hivewire
