#include "client/video_writer.h"

#include <gif_lib.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "base/file.h"

namespace hivewire {
namespace {

constexpr VideoOptions kSmall = {.width = 33, .height = 17, .frames_per_second = 25};

// A frame of one color.
std::string Plain(char red, char green, char blue) {
  std::string rgb;
  for (int k = 0; k < kSmall.width * kSmall.height; ++k) rgb += {red, green, blue};
  return rgb;
}

class VideoWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }

  // A GIF of `frames` plain frames, read back; the caller closes it.
  GifFileType* WriteAndRead(const VideoOptions& options, int frames) {
    const std::string path = folder_ + "/video.gif";
    auto writer = VideoWriter::Create(path, options);
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (int k = 0; k < frames; ++k)
      EXPECT_TRUE((*writer)->Add(Plain(static_cast<char>(10 * k), 0, 80)).ok());
    EXPECT_TRUE((*writer)->Finish().ok());
    GifFileType* gif = DGifOpenFileName(path.c_str(), nullptr);
    EXPECT_EQ(DGifSlurp(gif), GIF_OK);
    return gif;
  }

  static int DelayOf(GifFileType* gif, int frame) {
    GraphicsControlBlock control;
    EXPECT_EQ(DGifSavedExtensionToGCB(gif, frame, &control), GIF_OK);
    return control.DelayTime;
  }

  std::string folder_;
};

TEST_F(VideoWriterTest, GifHoldsTheFramesTheirColorsAndTheirTiming) {
  GifFileType* gif = WriteAndRead(kSmall, 3);
  EXPECT_EQ(gif->SWidth, kSmall.width);
  EXPECT_EQ(gif->SHeight, kSmall.height);
  ASSERT_EQ(gif->ImageCount, 3);
  for (int k = 0; k < 3; ++k) {
    const SavedImage& image = gif->SavedImages[k];
    const GifColorType color = image.ImageDesc.ColorMap->Colors[image.RasterBits[0]];
    // Colors are reduced to 5 bits a channel.
    EXPECT_NEAR(color.Red, 10 * k, 8);
    EXPECT_NEAR(color.Green, 0, 8);
    EXPECT_NEAR(color.Blue, 80, 8);
    EXPECT_EQ(DelayOf(gif, k), 4);
  }
  DGifCloseFile(gif, nullptr);
}

TEST_F(VideoWriterTest, GifOfManyFramesASecondLeavesSomeOutAndKeepsItsSpeed) {
  VideoOptions options = kSmall;
  options.frames_per_second = 125;
  GifFileType* gif = WriteAndRead(options, 25);  // 0.2 s
  EXPECT_LE(gif->ImageCount, 10);
  int total = 0;
  for (int k = 0; k < gif->ImageCount; ++k) {
    EXPECT_GE(DelayOf(gif, k), 2);
    total += DelayOf(gif, k);
  }
  EXPECT_NEAR(total, 20, 2);
  DGifCloseFile(gif, nullptr);
}

TEST_F(VideoWriterTest, LeavesNothingBehindWithoutFinish) {
  {
    auto writer = VideoWriter::Create(folder_ + "/video.gif", kSmall);
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Add(Plain(1, 2, 3)).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(VideoWriterTest, RefusesAFileThatIsNoVideo) {
  const auto writer = VideoWriter::Create(folder_ + "/video.avi", kSmall);
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(writer.status().message(), ".mp4 or .gif")) << writer.status();
}

TEST_F(VideoWriterTest, RefusesAFrameOfAnotherSize) {
  auto writer = VideoWriter::Create(folder_ + "/video.gif", kSmall);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ((*writer)->Add("short").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(VideoWriterTest, NamesAPathThatCannotBeWritten) {
  const auto writer = VideoWriter::Create(folder_ + "/missing/video.gif", kSmall);
  EXPECT_TRUE(absl::StrContains(writer.status().message(), "/missing/video.gif"))
      << writer.status();
}

TEST_F(VideoWriterTest, WithoutFfmpegAnMp4SaysWhatToInstall) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder_.c_str(), 1);
  const auto writer = VideoWriter::Create(folder_ + "/video.mp4", kSmall);
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(writer.status().message(), "Debian package \"ffmpeg\""))
      << writer.status();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(VideoWriterTest, AnEncoderThatFailsIsQuotedAndLeavesNothingBehind) {
  const std::string path = std::getenv("PATH");
  const std::string script = folder_ + "/ffmpeg";
  std::FILE* file = std::fopen(script.c_str(), "we");
  std::fputs("#!/bin/sh\necho 'no such encoder' >&2\nexit 1\n", file);
  std::fclose(file);
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  setenv("PATH", (folder_ + ":" + path).c_str(), 1);
  auto writer = VideoWriter::Create(folder_ + "/video.mp4", kSmall);
  setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(writer.ok()) << writer.status();
  absl::Status status;
  for (int k = 0; k < 1000 && status.ok(); ++k) status = (*writer)->Add(Plain(1, 2, 3));
  if (status.ok()) status = (*writer)->Finish();
  EXPECT_TRUE(absl::StrContains(status.message(), "no such encoder")) << status;
  writer->reset();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/video.mp4"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);  // the script
}

TEST_F(VideoWriterTest, WritesMp4WhereThereIsAnFfmpeg) {
  const std::string path = folder_ + "/video.mp4";
  auto writer = VideoWriter::Create(path, kSmall);
  if (absl::IsFailedPrecondition(writer.status())) GTEST_SKIP() << writer.status().message();
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int k = 0; k < 10; ++k) ASSERT_TRUE((*writer)->Add(Plain(static_cast<char>(k), 0, 0)).ok());
  const absl::Status status = (*writer)->Finish();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadFile(path).value().substr(4, 4), "ftyp");
}

}  // namespace
}  // namespace hivewire
