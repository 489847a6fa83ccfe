#include "policy/npz.h"

#include <zlib.h>

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/output_file.h"

namespace hivewire {
namespace {

// Of a .npy header together with what stands before it.
constexpr size_t kHeaderAlignment = 64;
constexpr uint64_t kMaxBytes = std::numeric_limits<uint32_t>::max();

// numpy's names.
const char* Descr(v1::DType dtype) {
  switch (dtype) {
    case v1::DTYPE_BOOL:
      return "|b1";
    case v1::DTYPE_INT32:
      return "<i4";
    case v1::DTYPE_INT64:
      return "<i8";
    case v1::DTYPE_UINT64:
      return "<u8";
    case v1::DTYPE_FLOAT32:
      return "<f4";
    case v1::DTYPE_FLOAT64:
      return "<f8";
    default:
      return "|u1";
  }
}

// The head of a .npy file (numpy.lib.format, version 1.0).
std::string NpyHeader(const NpzArray& array) {
  std::string shape;
  for (const int64_t size : array.shape) absl::StrAppend(&shape, size, ",");
  std::string text = absl::StrCat("{'descr': '", Descr(array.dtype),
                                  "', 'fortran_order': False, 'shape': (", shape, "), }");
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const size_t unpadded = magic.size() + 2 + text.size() + 1;
  text.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
  text += '\n';
  return absl::StrCat(magic, std::string(1, static_cast<char>(text.size() & 0xff)),
                      std::string(1, static_cast<char>(text.size() >> 8)), text);
}

template <typename Integer>
void Append(Integer value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// The fields that a member's own header and its entry in the directory have in common.
std::string CommonFields(uint32_t crc, uint32_t bytes, const std::string& name) {
  std::string fields;
  Append<uint16_t>(20, fields);      // version needed to unpack: 2.0
  Append<uint16_t>(0, fields);       // flags
  Append<uint16_t>(0, fields);       // method: stored
  Append<uint16_t>(0, fields);       // time
  Append<uint16_t>(0x0021, fields);  // date: 1 January 1980, so that equal contents are equal files
  Append<uint32_t>(crc, fields);
  Append<uint32_t>(bytes, fields);  // packed
  Append<uint32_t>(bytes, fields);  // unpacked
  Append<uint16_t>(static_cast<uint16_t>(name.size()), fields);
  Append<uint16_t>(0, fields);  // extra field
  return fields;
}

uint32_t Crc32(absl::string_view first, absl::string_view second) {
  const auto add = [](uLong crc, absl::string_view bytes) {
    return crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  return static_cast<uint32_t>(add(add(0, first), second));
}

}  // namespace

absl::Status WriteNpz(const std::string& path, const std::map<std::string, NpzArray>& arrays) {
  uint64_t total = 0;
  for (const auto& [name, array] : arrays) total += array.bytes.size() + 1024;
  if (total > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", total, " bytes are more than an .npz file holds (4 GiB)"));
  }
  absl::StatusOr<OutputFile> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  uint32_t offset = 0;
  const auto write = [&](absl::string_view bytes) {
    offset += static_cast<uint32_t>(bytes.size());
    return file->Write(bytes);
  };

  std::string directory;
  absl::Status status;
  for (const auto& [array_name, array] : arrays) {
    const std::string name = array_name + ".npy";
    const std::string header = NpyHeader(array);
    const uint32_t bytes = static_cast<uint32_t>(header.size() + array.bytes.size());
    const std::string fields = CommonFields(Crc32(header, array.bytes), bytes, name);
    absl::StrAppend(&directory, "PK\x01\x02");
    Append<uint16_t>(20, directory);  // made by
    absl::StrAppend(&directory, fields);
    Append<uint16_t>(0, directory);  // comment
    Append<uint16_t>(0, directory);  // disk
    Append<uint16_t>(0, directory);  // internal attributes
    Append<uint32_t>(0, directory);  // external attributes
    Append<uint32_t>(offset, directory);
    absl::StrAppend(&directory, name);
    for (const absl::string_view part :
         {absl::string_view("PK\x03\x04"), absl::string_view(fields), absl::string_view(name),
          absl::string_view(header), absl::string_view(array.bytes)}) {
      if (status.ok()) status = write(part);
    }
  }
  std::string end = "PK\x05\x06";
  Append<uint32_t>(0, end);  // disks
  Append<uint16_t>(static_cast<uint16_t>(arrays.size()), end);
  Append<uint16_t>(static_cast<uint16_t>(arrays.size()), end);
  Append<uint32_t>(static_cast<uint32_t>(directory.size()), end);
  Append<uint32_t>(offset, end);
  Append<uint16_t>(0, end);  // comment
  if (status.ok()) status = write(directory);
  if (status.ok()) status = write(end);
  return status.ok() ? file->Commit() : status;
}

}  // namespace hivewire
