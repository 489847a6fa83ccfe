#include "policy/checkpoint/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace hivewire {
namespace {

constexpr uint32_t kReversedPolynomial = 0x82F63B78;

// tables[k][b]: what byte b does to the checksum k bytes further on, so that eight bytes are looked
// up at once ("slicing by 8").
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kReversedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr std::array<std::array<uint32_t, 256>, 8> kTables = MakeTables();
static_assert(std::endian::native == std::endian::little);

}  // namespace

uint32_t Crc32c(absl::string_view data, uint32_t seed) {
  uint32_t crc = ~seed;
  while (data.size() >= 8) {
    uint64_t chunk;
    std::memcpy(&chunk, data.data(), 8);
    chunk ^= crc;
    crc = 0;
    for (int k = 0; k < 8; ++k) crc ^= kTables[7 - k][(chunk >> (8 * k)) & 0xFF];
    data.remove_prefix(8);
  }
  for (const char byte : data) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~crc;
}

uint32_t MaskedCrc32c(absl::string_view data) { return std::rotr(Crc32c(data), 15) + 0xA282EAD8u; }

}  // namespace hivewire
