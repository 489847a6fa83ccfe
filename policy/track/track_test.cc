#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "policy/track/csv_writer.h"
#include "policy/track/progress.h"
#include "policy/track/svg.h"

namespace hivewire {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(CsvWriter, AResumedRunWritesItsRowsAgain) {
  const std::string path = testing::TempDir() + "/progress.csv";
  std::remove(path.c_str());
  ASSERT_TRUE(CsvWriter::DropRowsAfter(path, 0).ok());
  CsvWriter csv(path, {"frames", "return"});
  ASSERT_TRUE(csv.Append({100, std::nan("")}).ok());
  ASSERT_TRUE(csv.Append({1000000, 2.5}).ok());
  EXPECT_EQ(Read(path), "frames,return\n100,\n1000000,2.5\n");
  ASSERT_TRUE(CsvWriter::DropRowsAfter(path, 100).ok());
  EXPECT_EQ(Read(path), "frames,return\n100,\n");
}

TEST(ProgressLine, TellsFramesSpeedReturnAndTimeLeft) {
  const ProgressState state = {.frames = 420000,
                               .total_frames = 1000000,
                               .frames_per_second = 10000,
                               .episodes = 12,
                               .mean_return = 234.56,
                               .mean_length = 100};
  EXPECT_EQ(ProgressLine(state, 0),
            " 42 %  420,000 / 1,000,000 frames  10,000 frames/s  return 234.6  length 100  "
            "ETA 0:58");
}

TEST(DrawSvg, DrawsThePointsThatAreFinite) {
  const std::vector<ScalarPoint> points = {{0, 0}, {50, NAN}, {100, 10}};
  const std::string svg = DrawSvg("a < b", "frames", points);
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find("points=\"80.0,310.0 700.0,40.0 \""), std::string::npos) << svg;
  EXPECT_EQ(DrawSvg("t", "x", {}), "");
}

}  // namespace
}  // namespace hivewire
