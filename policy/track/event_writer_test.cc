#include "policy/track/event_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "policy/checkpoint/crc32c.h"
#include "policy/curve/event_file.h"

namespace hivewire {
namespace {

TEST(Crc32c, IsThatOfTheStandard) {
  // The check value of CRC-32C, and RFC 3720's examples.
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c("456789", Crc32c("123")), 0xE3069283u);
}

TEST(TfRecord, FramesItsDataWithMaskedChecksums) {
  const std::string record = TfRecord("123456789");
  ASSERT_EQ(record.size(), 8u + 4 + 9 + 4);
  EXPECT_EQ(record[0], 9);
  EXPECT_EQ(record.substr(12, 9), "123456789");
  uint32_t crc;
  record.copy(reinterpret_cast<char*>(&crc), 4, 21);
  // ((crc >> 15) | (crc << 17)) + 0xA282EAD8 of 0xE3069283.
  EXPECT_EQ(crc, 0xC78AB0E5u);
}

TEST(EventWriter, WhatItWritesCanBeReadBack) {
  const std::string folder = testing::TempDir() + "/events";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto writer = EventWriter::Create(folder);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->AddText(0, "hyperparameters", "|a|b|").ok());
  ASSERT_TRUE((*writer)->AddScalars(100, {{"charts/SPS", 5}, {"losses/entropy", 0.5}}).ok());
  ASSERT_TRUE((*writer)->AddScalars(200, {{"charts/SPS", 6}}).ok());
  const auto points = ReadScalars(folder, "charts/SPS");
  ASSERT_TRUE(points.ok()) << points.status();
  ASSERT_EQ(points->size(), 2u);
  EXPECT_EQ((*points)[1].step, 200);
  EXPECT_EQ((*points)[1].value, 6);
}

}  // namespace
}  // namespace hivewire
