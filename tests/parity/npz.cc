#include "tests/parity/npz.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hivewire {
namespace {

// Of the zip format; all numbers little-endian.
constexpr absl::string_view kEndOfDirectory("PK\5\6", 4), kDirectoryEntry("PK\1\2", 4);
constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr absl::string_view kMagic("\x93NUMPY", 6);

template <typename T>
T Read(absl::string_view bytes, size_t at) {
  T value{};
  if (at + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

absl::StatusOr<std::string> Inflate(absl::string_view packed, size_t size) {
  std::string bytes(size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(size);
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return absl::InternalError("zlib");
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END || stream.total_out != size)
    return absl::InvalidArgumentError("a damaged entry");
  return bytes;
}

// What stands in the header after 'key':, up to the end of its value.
absl::string_view HeaderValue(absl::string_view header, absl::string_view key) {
  const size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) return "";
  header.remove_prefix(at + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  if (absl::StartsWith(header, "(")) return header.substr(1, header.find(')') - 1);
  if (absl::StartsWith(header, "'")) return header.substr(1, header.find('\'', 1) - 1);
  return header.substr(0, header.find(','));
}

absl::StatusOr<NumpyArray> ParseNpy(absl::string_view bytes) {
  if (!absl::StartsWith(bytes, kMagic)) return absl::InvalidArgumentError("no .npy");
  const bool first_version = Read<uint8_t>(bytes, kMagic.size()) == 1;
  const size_t begin = kMagic.size() + 2 + (first_version ? 2 : 4);
  const size_t size = first_version ? Read<uint16_t>(bytes, kMagic.size() + 2)
                                    : Read<uint32_t>(bytes, kMagic.size() + 2);
  if (begin + size > bytes.size()) return absl::InvalidArgumentError("a damaged header");
  const absl::string_view header = bytes.substr(begin, size);
  NumpyArray array;
  array.dtype = std::string(HeaderValue(header, "descr"));
  if (HeaderValue(header, "fortran_order") != "False")
    return absl::InvalidArgumentError("an array in Fortran order");
  for (const absl::string_view part :
       absl::StrSplit(HeaderValue(header, "shape"), ',', absl::SkipWhitespace())) {
    int64_t dimension;
    if (!absl::SimpleAtoi(part, &dimension)) return absl::InvalidArgumentError("a bad shape");
    array.shape.push_back(dimension);
  }
  array.bytes = std::string(bytes.substr(begin + size));
  return array;
}

template <typename T>
std::vector<double> ToDoubles(const std::string& bytes) {
  std::vector<double> numbers(bytes.size() / sizeof(T));
  for (size_t k = 0; k < numbers.size(); ++k)
    numbers[k] = static_cast<double>(Read<T>(bytes, k * sizeof(T)));
  return numbers;
}

}  // namespace

std::vector<double> NumpyArray::Numbers() const {
  if (dtype == "<f8") return ToDoubles<double>(bytes);
  if (dtype == "<f4") return ToDoubles<float>(bytes);
  if (dtype == "<i8") return ToDoubles<int64_t>(bytes);
  if (dtype == "<i4") return ToDoubles<int32_t>(bytes);
  if (dtype == "<u8") return ToDoubles<uint64_t>(bytes);
  if (dtype == "|b1" || dtype == "|u1") return ToDoubles<uint8_t>(bytes);
  return {};
}

std::vector<uint64_t> NumpyArray::Uint64() const {
  std::vector<uint64_t> numbers(bytes.size() / sizeof(uint64_t));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(uint64_t));
  return numbers;
}

std::string NumpyArray::Text() const {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint32_t)) {
    const uint32_t character = Read<uint32_t>(bytes, at);
    if (character != 0) text.push_back(static_cast<char>(character));
  }
  return text;
}

size_t NumpyArray::row_size() const {
  return std::accumulate(shape.begin() + (shape.empty() ? 0 : 1), shape.end(), size_t{1},
                         [](size_t product, int64_t n) { return product * size_t(n); });
}

absl::StatusOr<std::map<std::string, NumpyArray>> ReadNpz(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  std::ostringstream content;
  content << stream.rdbuf();
  const std::string file = content.str();
  const absl::string_view bytes = file;
  const size_t end = bytes.rfind(kEndOfDirectory);
  if (end == absl::string_view::npos || end + kEndSize > bytes.size())
    return absl::InvalidArgumentError(absl::StrCat(path, ": no .npz"));
  std::map<std::string, NumpyArray> arrays;
  size_t at = Read<uint32_t>(bytes, end + 16);
  for (int left = Read<uint16_t>(bytes, end + 10); left > 0; --left) {
    if (bytes.substr(std::min(at, bytes.size()), 4) != kDirectoryEntry)
      return absl::InvalidArgumentError(absl::StrCat(path, ": a damaged directory"));
    const uint16_t method = Read<uint16_t>(bytes, at + 10);
    const size_t packed_size = Read<uint32_t>(bytes, at + 20),
                 size = Read<uint32_t>(bytes, at + 24);
    const size_t name_size = Read<uint16_t>(bytes, at + 28);
    const size_t local = Read<uint32_t>(bytes, at + 42);
    std::string name(bytes.substr(at + kEntrySize, name_size));
    at += kEntrySize + name_size + Read<uint16_t>(bytes, at + 30) + Read<uint16_t>(bytes, at + 32);
    const size_t begin =
        local + kLocalSize + Read<uint16_t>(bytes, local + 26) + Read<uint16_t>(bytes, local + 28);
    if (begin + packed_size > bytes.size() || (method != kStored && method != kDeflated))
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", name, " cannot be read"));
    const absl::string_view packed = bytes.substr(begin, packed_size);
    const absl::StatusOr<std::string> npy =
        method == kStored ? std::string(packed) : Inflate(packed, size);
    absl::StatusOr<NumpyArray> array = npy.ok() ? ParseNpy(*npy) : npy.status();
    if (!array.ok())
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", name, ": ", array.status().message()));
    if (absl::EndsWith(name, ".npy")) name.resize(name.size() - 4);
    arrays[name] = *std::move(array);
  }
  return arrays;
}

}  // namespace hivewire
