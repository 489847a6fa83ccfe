#include "client/gif_writer.h"

#include <gif_lib.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/output_file.h"

namespace hivewire {
namespace {

constexpr int kColors = 256;
// Viewers show a delay below 0.02 s as 0.1 s.
constexpr int kMinDelay = 2;  // 1/100 s

class GifWriter final : public VideoWriter {
 public:
  GifWriter(OutputFile file, const VideoOptions& options)
      : VideoWriter(options), file_(std::move(file)) {}

  ~GifWriter() override {
    if (gif_ != nullptr) EGifCloseFile(gif_, nullptr);
  }

  absl::Status Open() {
    int error = 0;
    gif_ = EGifOpen(this, &GifWriter::WriteBytes, &error);
    if (gif_ == nullptr) return absl::InternalError(absl::StrCat("GIF: ", GifErrorString(error)));
    EGifSetGifVersion(gif_, /*gif89=*/true);
    if (EGifPutScreenDesc(gif_, options().width, options().height, 8, 0, nullptr) != GIF_OK ||
        !PutLoopForever()) {
      return Failed();
    }
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    if (!shown_.empty()) {
      const absl::Status status = PutFrame(TimeOf(frames_));
      if (!status.ok()) return status;
    }
    int error = 0;
    const bool closed = EGifCloseFile(std::exchange(gif_, nullptr), &error) == GIF_OK;
    if (!write_status_.ok()) return write_status_;
    if (!closed) return absl::InternalError(absl::StrCat("GIF: ", GifErrorString(error)));
    return file_.Commit();
  }

 protected:
  absl::Status AddFrame(absl::string_view rgb) override {
    const int64_t time = TimeOf(frames_++);
    if (shown_.empty()) {
      shown_.assign(rgb.data(), rgb.size());
      shown_since_ = time;
      return absl::OkStatus();
    }
    // The frame shown has not yet been there long enough to be seen.
    if (time - shown_since_ < kMinDelay) return absl::OkStatus();
    const absl::Status status = PutFrame(time);
    shown_.assign(rgb.data(), rgb.size());
    shown_since_ = time;
    return status;
  }

 private:
  static int WriteBytes(GifFileType* gif, const GifByteType* bytes, int count) {
    auto* self = static_cast<GifWriter*>(gif->UserData);
    if (self->write_status_.ok()) {
      self->write_status_ = self->file_.Write(
          absl::string_view(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)));
    }
    return self->write_status_.ok() ? count : 0;
  }

  // When a frame begins, in 1/100 s: rounded from the beginning, so that errors do not add up.
  int64_t TimeOf(int64_t frame) const {
    return std::llround(100.0 * static_cast<double>(frame) / options().frames_per_second);
  }

  absl::Status Failed() const {
    if (!write_status_.ok()) return write_status_;
    return absl::InternalError(absl::StrCat("GIF: ", GifErrorString(gif_->Error)));
  }

  bool PutLoopForever() {
    constexpr unsigned char kForever[] = {1, 0, 0};
    return EGifPutExtensionLeader(gif_, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
           EGifPutExtensionBlock(gif_, 11, "NETSCAPE2.0") == GIF_OK &&
           EGifPutExtensionBlock(gif_, sizeof(kForever), kForever) == GIF_OK &&
           EGifPutExtensionTrailer(gif_) == GIF_OK;
  }

  // The shown frame, with a palette of its own, until `end`.
  absl::Status PutFrame(int64_t end) {
    const size_t pixels =
        static_cast<size_t>(options().width) * static_cast<size_t>(options().height);
    std::vector<GifByteType> planes[3];
    for (size_t channel = 0; channel < 3; ++channel) {
      planes[channel].resize(pixels);
      for (size_t k = 0; k < pixels; ++k)
        planes[channel][k] = static_cast<GifByteType>(shown_[3 * k + channel]);
    }
    std::vector<GifByteType> indices(pixels);
    std::vector<GifColorType> palette(kColors);
    int colors = kColors;
    if (GifQuantizeBuffer(static_cast<unsigned>(options().width),
                          static_cast<unsigned>(options().height), &colors, planes[0].data(),
                          planes[1].data(), planes[2].data(), indices.data(),
                          palette.data()) != GIF_OK) {
      return absl::InternalError("GIF: the colors of a frame cannot be reduced");
    }
    GraphicsControlBlock control{};
    control.DisposalMode = DISPOSE_DO_NOT;
    control.DelayTime = static_cast<int>(std::max<int64_t>(end - shown_since_, kMinDelay));
    control.TransparentColor = NO_TRANSPARENT_COLOR;
    GifByteType extension[4];
    EGifGCBToExtension(&control, extension);
    ColorMapObject* map = GifMakeMapObject(kColors, palette.data());
    const bool begun =
        map != nullptr &&
        EGifPutExtension(gif_, GRAPHICS_EXT_FUNC_CODE, sizeof(extension), extension) == GIF_OK &&
        EGifPutImageDesc(gif_, 0, 0, options().width, options().height, false, map) == GIF_OK;
    GifFreeMapObject(map);
    if (!begun || EGifPutLine(gif_, indices.data(), static_cast<int>(pixels)) != GIF_OK)
      return Failed();
    return absl::OkStatus();
  }

  OutputFile file_;
  GifFileType* gif_ = nullptr;
  absl::Status write_status_;
  int64_t frames_ = 0;
  std::string shown_;  // the last frame taken, not yet written
  int64_t shown_since_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VideoWriter>> MakeGifWriter(const std::string& path,
                                                           const VideoOptions& options) {
  auto file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  auto writer = std::make_unique<GifWriter>(*std::move(file), options);
  const absl::Status status = writer->Open();
  if (!status.ok()) return status;
  return writer;
}

}  // namespace hivewire
