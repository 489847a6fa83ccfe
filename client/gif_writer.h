// Animated GIFs; see VideoWriter.
#ifndef HIVEWIRE_CLIENT_GIF_WRITER_H_
#define HIVEWIRE_CLIENT_GIF_WRITER_H_

#include <memory>
#include <string>

#include "client/video_writer.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<VideoWriter>> MakeGifWriter(const std::string& path,
                                                           const VideoOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_GIF_WRITER_H_
