// Frames into a video file: an animated GIF, or an MP4 (H.264) by the `ffmpeg` on PATH.
//
// The file appears when Finish succeeds; after any failure, or without Finish, nothing is left
// behind. One thread at a time.
#ifndef HIVEWIRE_CLIENT_VIDEO_WRITER_H_
#define HIVEWIRE_CLIENT_VIDEO_WRITER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

struct VideoOptions {
  int width = 0;   // pixels; MP4 adds a black one where it is odd
  int height = 0;  // likewise
  // GIF: at most 50, since viewers slow faster ones down; of more frames some are left out, so that
  // the video keeps its speed.
  double frames_per_second = 30;
};

class VideoWriter {
 public:
  // By the extension of `path`, .gif or .mp4. INVALID_ARGUMENT for another; FAILED_PRECONDITION
  // where there is no ffmpeg, with what to install.
  static absl::StatusOr<std::unique_ptr<VideoWriter>> Create(const std::string& path,
                                                             const VideoOptions& options);

  virtual ~VideoWriter() = default;

  // (height, width, 3) uint8. INVALID_ARGUMENT for another number of bytes.
  absl::Status Add(absl::string_view rgb);
  // Once, after the last frame, of which there must be one.
  virtual absl::Status Finish() = 0;

 protected:
  explicit VideoWriter(const VideoOptions& options) : options_(options) {}

  const VideoOptions& options() const { return options_; }
  virtual absl::Status AddFrame(absl::string_view rgb) = 0;

 private:
  const VideoOptions options_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_VIDEO_WRITER_H_
