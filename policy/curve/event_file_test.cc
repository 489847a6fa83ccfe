#include "policy/curve/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tensorboard/event.pb.h"

namespace hivewire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

MATCHER_P2(PointIs, step, value, "") { return arg.step == step && arg.value == value; }

std::string Record(int64_t step, const std::string& tag, float value) {
  tensorboard::Event event;
  event.set_step(step);
  auto* scalar = event.mutable_summary()->add_value();
  scalar->set_tag(tag);
  scalar->set_simple_value(value);
  const std::string data = event.SerializeAsString();
  const uint64_t size = data.size();
  const std::string checksum(4, '\0');
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + checksum + data +
         checksum;
}

class EventFileTest : public testing::Test {
 protected:
  EventFileTest() : folder_(std::filesystem::path(testing::TempDir()) / "run") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  std::filesystem::path folder_;
};

TEST_F(EventFileTest, GivesThePointsOfOneTagByStep) {
  Write("events.out.tfevents.1.host",
        Record(20, "return", 2) + Record(10, "return", 1) + Record(10, "loss", 7));
  const auto points = ReadScalars(folder_, "return");
  ASSERT_TRUE(points.ok()) << points.status();
  EXPECT_THAT(*points, ElementsAre(PointIs(10, 1.0f), PointIs(20, 2.0f)));
}

TEST_F(EventFileTest, AResumedRunReplacesTheStepsThatItRepeats) {
  Write("events.out.tfevents.1.host", Record(10, "return", 1) + Record(20, "return", 2));
  Write("events.out.tfevents.2.host", Record(20, "return", 5));
  const auto points = ReadScalars(folder_, "return");
  ASSERT_TRUE(points.ok()) << points.status();
  EXPECT_THAT(*points, ElementsAre(PointIs(10, 1.0f), PointIs(20, 5.0f)));
}

TEST_F(EventFileTest, AnUnfinishedRecordEndsTheFile) {
  const std::string second = Record(20, "return", 2);
  Write("events.out.tfevents.1.host",
        Record(10, "return", 1) + second.substr(0, second.size() - 6));
  const auto points = ReadScalars(folder_, "return");
  ASSERT_TRUE(points.ok()) << points.status();
  EXPECT_THAT(*points, ElementsAre(PointIs(10, 1.0f)));
}

TEST_F(EventFileTest, ALengthBeyondReasonEndsTheFile) {
  Write("events.out.tfevents.1.host", Record(10, "return", 1) + std::string(12, '\xFF'));
  const auto points = ReadScalars(folder_, "return");
  ASSERT_TRUE(points.ok()) << points.status();
  EXPECT_THAT(*points, ElementsAre(PointIs(10, 1.0f)));
}

TEST_F(EventFileTest, AnUnknownTagIsAnsweredWithTheNearest) {
  Write("events.out.tfevents.1.host", Record(10, "charts/episodic_return", 1));
  const auto points = ReadScalars(folder_, "charts/episode_return");
  EXPECT_EQ(points.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(points.status().message()), HasSubstr("charts/episodic_return"));
}

TEST_F(EventFileTest, AFolderWithoutEventsIsNotFound) {
  EXPECT_EQ(ReadScalars(folder_, "return").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadScalars("/nowhere", "return").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hivewire
