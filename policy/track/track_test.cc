#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "policy/curve/event_file.h"
#include "policy/track/csv_writer.h"
#include "policy/track/event_writer.h"
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
  CsvWriter csv(path, {"frames", "return"});
  ASSERT_TRUE(csv.Continue(0).ok());
  ASSERT_TRUE(csv.Append({100, std::nan("")}).ok());
  ASSERT_TRUE(csv.Append({1000000, 2.5}).ok());
  EXPECT_EQ(Read(path), "frames,return\n100,\n1000000,2.5\n");
  ASSERT_TRUE(csv.Continue(100).ok());
  EXPECT_EQ(Read(path), "frames,return\n100,\n");
}

TEST(CsvWriter, GoesOnBehindWholeRowsWithItsOwnColumns) {
  const std::string path = testing::TempDir() + "/torn.csv";
  std::ofstream(path) << "frames,return\n100,1\n200\n300,3\n400,4";
  CsvWriter csv(path, {"frames", "return", "length"});
  ASSERT_TRUE(csv.Continue(1000).ok());
  ASSERT_TRUE(csv.Append({500, 5, 6}).ok());
  EXPECT_EQ(Read(path), "frames,return,length\n100,1,\n300,3,\n500,5,6\n");
}

// The disk is full: a process may write no file longer than `bytes` while this lives.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_ = {};
  void (*handler_)(int) = nullptr;
};

TEST(CsvWriter, ARowThatTheDiskHasNoRoomForIsNotThereByHalf) {
  const std::string path = testing::TempDir() + "/full.csv";
  std::remove(path.c_str());
  CsvWriter csv(path, {"frames", "return"});
  {
    const SmallFiles full(10);
    EXPECT_FALSE(csv.Append({100, 1}).ok());
  }
  ASSERT_TRUE(csv.Append({200, 2}).ok());
  {
    const SmallFiles full(22);
    EXPECT_FALSE(csv.Append({300, 3}).ok());
  }
  ASSERT_TRUE(csv.Append({400, 4}).ok());
  EXPECT_EQ(Read(path), "frames,return\n200,2\n400,4\n");
}

TEST(EventWriter, ARecordThatTheDiskHasNoRoomForIsNotThereByHalf) {
  const std::string folder = testing::TempDir() + "/full";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto writer = EventWriter::Create(folder);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->AddScalars(100, {{"charts/SPS", 1}}).ok());
  const auto size = std::filesystem::file_size(std::filesystem::directory_iterator(folder)->path());
  {
    const SmallFiles full(size + 9);
    EXPECT_FALSE((*writer)->AddScalars(200, {{"charts/SPS", 2}}).ok());
  }
  ASSERT_TRUE((*writer)->AddScalars(300, {{"charts/SPS", 3}}).ok());
  const auto points = ReadScalars(folder, "charts/SPS");
  ASSERT_TRUE(points.ok()) << points.status();
  ASSERT_EQ(points->size(), 2u);
  EXPECT_EQ((*points)[1].step, 300);
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

TEST(ProgressLine, HasABarAndFitsTheTerminal) {
  const ProgressState state = {.frames = 13500000,
                               .total_frames = 30000000,
                               .frames_per_second = 5000,
                               .episodes = 12,
                               .mean_return = 1234.56,
                               .mean_length = 1000};
  const auto columns = [](const std::string& text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  };
  const auto bar = [](const std::string& text, const char* part) {
    int count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
  };
  const std::string wide = ProgressLine(state, 160);
  EXPECT_EQ(bar(wide, "━"), 13) << wide;  // 45 % of 30
  EXPECT_EQ(bar(wide, "─"), 17) << wide;
  EXPECT_NE(wide.find("13,500,000 / 30,000,000 frames"), std::string::npos) << wide;
  const std::string usual = ProgressLine(state, 79);
  EXPECT_GE(bar(usual, "━") + bar(usual, "─"), 8) << usual;
  EXPECT_NE(usual.find("ETA 55:00"), std::string::npos) << usual;
  for (int width = 1; width < 160; ++width) {
    EXPECT_LE(columns(ProgressLine(state, width)), width) << ProgressLine(state, width);
  }
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
