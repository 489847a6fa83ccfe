#include "policy/track/wandb_log.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"

namespace hivewire {
namespace {

constexpr size_t kBlock = 32768;

// The records of a file, read by the book; a fragment that is wrong fails the test.
std::vector<std::string> Records(const std::string& file) {
  EXPECT_EQ(file.substr(0, 7), std::string(":W&B\xe1\xbe\x00", 7));
  std::vector<std::string> records;
  std::string record;
  for (size_t at = 7; at < file.size();) {
    const size_t left = kBlock - at % kBlock;
    if (left < 7) {
      EXPECT_EQ(file.substr(at, left), std::string(left, '\0'));
      at += left;
      continue;
    }
    uint32_t checksum;
    uint16_t length;
    std::memcpy(&checksum, file.data() + at, sizeof(checksum));
    std::memcpy(&length, file.data() + at + 4, sizeof(length));
    const char type = file[at + 6];
    EXPECT_LE(7u + length, left);
    EXPECT_EQ(checksum,
              crc32_z(0, reinterpret_cast<const Bytef*>(file.data() + at + 6), size_t{1} + length));
    EXPECT_EQ(record.empty(), type == 1 || type == 2);
    record += file.substr(at + 7, length);
    if (type == 1 || type == 4) records.push_back(std::exchange(record, ""));
    at += 7u + length;
  }
  EXPECT_EQ(record, "");
  return records;
}

TEST(WandbLog, RecordsOfAnyLengthComeBack) {
  const std::string path = testing::TempDir() + "/run.wandb";
  std::remove(path.c_str());
  std::vector<std::string> written;
  {
    auto log = WandbLog::Create(path);
    ASSERT_TRUE(log.ok()) << log.status();
    // Small ones, one that leaves less than a head in its block, and one of several blocks.
    for (const size_t length : {size_t{1}, size_t{100}, kBlock - 7 - 8 - 107 - 7 - 3, size_t{50},
                                3 * kBlock + 11, size_t{20}}) {
      written.push_back(std::string(length, static_cast<char>('a' + written.size())));
      ASSERT_TRUE((*log)->Append(written.back()).ok());
    }
  }
  EXPECT_EQ(Records(*ReadFile(path)), written);
  EXPECT_FALSE(WandbLog::Create(path).ok());  // what is there stays
}

}  // namespace
}  // namespace hivewire
