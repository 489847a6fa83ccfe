#include "server/sim/png.h"

#include <gtest/gtest.h>
#include <png.h>

#include <numeric>
#include <vector>

namespace hivewire {
namespace {

TEST(EncodePng, AReaderGetsThePixelsBack) {
  Image image{5, 3, std::vector<uint8_t>(3 * 5 * 3)};
  std::iota(image.pixels.begin(), image.pixels.end(), uint8_t{1});
  const absl::StatusOr<std::string> file = EncodePng(image);
  ASSERT_TRUE(file.ok()) << file.status();

  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_memory(&png, file->data(), file->size())) << png.message;
  EXPECT_EQ(png.width, 5u);
  EXPECT_EQ(png.height, 3u);
  EXPECT_EQ(png.format, static_cast<png_uint_32>(PNG_FORMAT_RGB));
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(png));
  ASSERT_TRUE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr)) << png.message;
  EXPECT_EQ(pixels, image.pixels);
}

TEST(EncodePng, AnImageWhosePixelsDoNotFillItIsRefused) {
  EXPECT_EQ(EncodePng({5, 3, std::vector<uint8_t>(44)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodePng({}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hivewire
