#include "policy/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace hivewire {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "/" + test->name();
    std::filesystem::remove_all(folder_);
  }

  static Checkpoint Example(int64_t frames) {
    Checkpoint checkpoint;
    checkpoint.state.set_frames(frames);
    checkpoint.state.mutable_config()->set_name("a \"quoted\"\nname");
    checkpoint.tensors.Put("model.weight", {TensorType::kFloat32, {2, 1}, std::string(8, '\x3F')});
    checkpoint.tensors.PutDoubles("moments", {1.5, -2});
    checkpoint.tensors.PutBytes("generator", std::string("\0\xFF\n", 3));
    return checkpoint;
  }

  std::string PathOf(const char* which) { return *CheckpointFolder(folder_).Find(which); }

  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  static void Write(const std::string& path, const std::string& data) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << data;
  }

  std::string folder_;
};

TEST_F(CheckpointTest, ComesBackAsItWas) {
  CheckpointFolder folder(folder_);
  ASSERT_TRUE(folder.Save(Example(100), 3).ok());
  const auto read = ReadCheckpoint(PathOf("last"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->state.frames(), 100);
  EXPECT_EQ(read->state.config().name(), "a \"quoted\"\nname");
  EXPECT_EQ((*read->tensors.Get("model.weight"))->shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(*read->tensors.GetBytes("generator"), std::string("\0\xFF\n", 3));
  double moments[2];
  ASSERT_TRUE(read->tensors.GetDoubles("moments", moments).ok());
  EXPECT_EQ(moments[1], -2);
}

TEST_F(CheckpointTest, KeepsTheNewestAndTheBest) {
  CheckpointFolder folder(folder_);
  ASSERT_TRUE(folder.Save(Example(100), 2).ok());
  ASSERT_TRUE(folder.MarkBest(100).ok());
  for (const int64_t frames : {200, 300, 400}) {
    ASSERT_TRUE(folder.Save(Example(frames), 2).ok());
  }
  EXPECT_FALSE(folder.Find("200").ok());
  EXPECT_EQ(ReadCheckpoint(PathOf("last"))->state.frames(), 400);
  EXPECT_EQ(ReadCheckpoint(PathOf("best"))->state.frames(), 100);
  EXPECT_NE(folder.Find("200").status().message().find("best, last, 300, 400"), std::string::npos);
}

TEST_F(CheckpointTest, AChangedByteIsFoundWhereverItIs) {
  ASSERT_TRUE(CheckpointFolder(folder_).Save(Example(100), 1).ok());
  const std::string path = PathOf("last");
  std::string data = Read(path);
  for (char& byte : data) {
    byte = static_cast<char>(byte ^ 1);
    Write(path, data);
    EXPECT_EQ(ReadCheckpoint(path).status().code(), absl::StatusCode::kDataLoss)
        << "byte " << &byte - data.data();
    byte = static_cast<char>(byte ^ 1);
  }
  Write(path, data);
  EXPECT_EQ(ReadCheckpoint(path).status(), absl::OkStatus());
}

TEST_F(CheckpointTest, AFileCutOffAnywhereIsAnError) {
  ASSERT_TRUE(CheckpointFolder(folder_).Save(Example(100), 1).ok());
  const std::string path = PathOf("last");
  const std::string data = Read(path);
  for (size_t length = 0; length < data.size(); length += 7) {
    Write(path, data.substr(0, length));
    EXPECT_EQ(ReadCheckpoint(path).status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST_F(CheckpointTest, AMismatchedTensorIsNamed) {
  const Checkpoint checkpoint = Example(1);
  double three[3];
  EXPECT_NE(checkpoint.tensors.GetDoubles("moments", three).message().find("moments"),
            std::string::npos);
  EXPECT_EQ(checkpoint.tensors.Get("nothing").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(CheckpointTest, AWriteThatFailsLeavesThePreviousOneAndNothingElse) {
  CheckpointFolder folder(folder_);
  ASSERT_TRUE(folder.Save(Example(100), 3).ok());
  Checkpoint large = Example(200);
  large.tensors.PutBytes("large", std::string(1 << 20, 'x'));

  // A limit on the size of files stands for a full disk.
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {1 << 16, limit.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = folder.Save(large, 1);
  setrlimit(RLIMIT_FSIZE, &limit);

  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("000000000200.safetensors"), std::string::npos) << status;
  EXPECT_EQ(ReadCheckpoint(PathOf("last"))->state.frames(), 100);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace hivewire
