#include "client/video_writer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/gif_writer.h"
#include "client/mp4_writer.h"

namespace hivewire {
namespace {

// What a GIF can hold; also more than any renderer gives.
constexpr int kMaxSize = 65535;

}  // namespace

absl::StatusOr<std::unique_ptr<VideoWriter>> VideoWriter::Create(const std::string& path,
                                                                 const VideoOptions& options) {
  if (options.width < 1 || options.width > kMaxSize || options.height < 1 ||
      options.height > kMaxSize) {
    return absl::InvalidArgumentError(absl::StrCat("a video of ", options.width, "×",
                                                   options.height, " pixels cannot be written"));
  }
  if (!(options.frames_per_second > 0 && options.frames_per_second <= 1000)) {
    return absl::InvalidArgumentError(
        absl::StrCat("frames per second: ", options.frames_per_second, " is not in 0 … 1000"));
  }
  const std::string lower = absl::AsciiStrToLower(path);
  if (absl::EndsWith(lower, ".gif")) return MakeGifWriter(path, options);
  if (absl::EndsWith(lower, ".mp4")) return MakeMp4Writer(path, options);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", path, "\" is no video file: its name must end with .mp4 or .gif"));
}

absl::Status VideoWriter::Add(absl::string_view rgb) {
  const size_t expected =
      3 * static_cast<size_t>(options_.width) * static_cast<size_t>(options_.height);
  if (rgb.size() == expected) return AddFrame(rgb);
  return absl::InvalidArgumentError(absl::StrCat("a frame of ", rgb.size(), " bytes where ",
                                                 options_.width, "×", options_.height,
                                                 " pixels need ", expected));
}

}  // namespace hivewire
