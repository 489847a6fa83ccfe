#include "server/sim/png.h"

#include <png.h>

#include "absl/strings/str_cat.h"

namespace hivewire {

absl::StatusOr<std::string> EncodePng(const Image& image) {
  if (image.pixels.empty() || image.pixels.size() != size_t{3} * image.width * image.height) {
    return absl::InvalidArgumentError(absl::StrCat("image: ", image.pixels.size(),
                                                   " bytes are not ", image.width, " x ",
                                                   image.height, " RGB pixels"));
  }
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = image.width;
  png.height = image.height;
  png.format = PNG_FORMAT_RGB;
  png.flags = PNG_IMAGE_FLAG_FAST;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string file(bytes, '\0');
  if (!png_image_write_to_memory(&png, file.data(), &bytes, 0, image.pixels.data(), 0, nullptr)) {
    return absl::InternalError(absl::StrCat("image: libpng: ", png.message));
  }
  file.resize(bytes);
  return file;
}

}  // namespace hivewire
