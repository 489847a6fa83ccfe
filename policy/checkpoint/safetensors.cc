#include "policy/checkpoint/safetensors.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/crc32c.h"

namespace hivewire {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr char kMetadata[] = "__metadata__";
constexpr char kChecksum[] = "crc32c";
constexpr absl::string_view kNoChecksum = "00000000";  // in its place while it is computed
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

absl::StatusOr<TensorType> ParseType(absl::string_view name) {
  for (const TensorType type :
       {TensorType::kUint8, TensorType::kInt64, TensorType::kFloat32, TensorType::kFloat64}) {
    if (name == NameOf(type)) return type;
  }
  return absl::DataLossError(absl::StrCat("has the unknown dtype \"", name, "\""));
}

// A list of whole numbers from 0, none above `limit`.
absl::StatusOr<std::vector<int64_t>> ParseIntegers(const Struct& entry, const char* field,
                                                   uint64_t limit) {
  const auto found = entry.fields().find(field);
  if (found == entry.fields().end() || !found->second.has_list_value()) {
    return absl::DataLossError(absl::StrCat("has no list \"", field, "\""));
  }
  std::vector<int64_t> integers;
  for (const Value& value : found->second.list_value().values()) {
    const double number = value.number_value();
    if (!value.has_number_value() || !(number >= 0) || number > static_cast<double>(limit) ||
        number != std::floor(number)) {
      return absl::DataLossError(absl::StrCat("has a bad \"", field, "\""));
    }
    integers.push_back(static_cast<int64_t>(number));
  }
  return integers;
}

absl::StatusOr<TensorData> ParseTensor(const Value& value, absl::string_view data) {
  if (!value.has_struct_value()) return absl::DataLossError("is no JSON object");
  const Struct& entry = value.struct_value();
  const auto dtype = entry.fields().find("dtype");
  if (dtype == entry.fields().end()) return absl::DataLossError("has no dtype");
  absl::StatusOr<TensorType> type = ParseType(dtype->second.string_value());
  if (!type.ok()) return type.status();
  absl::StatusOr<std::vector<int64_t>> shape = ParseIntegers(entry, "shape", data.size());
  if (!shape.ok()) return shape.status();
  absl::StatusOr<std::vector<int64_t>> offsets = ParseIntegers(entry, "data_offsets", data.size());
  if (!offsets.ok()) return offsets.status();
  if (offsets->size() != 2 || (*offsets)[0] > (*offsets)[1]) {
    return absl::DataLossError("has bad data_offsets");
  }
  // In floating point: a product of hostile sizes must not wrap around.
  double bytes = static_cast<double>(SizeOf(*type));
  for (const int64_t size : *shape) bytes *= static_cast<double>(size);
  const int64_t length = (*offsets)[1] - (*offsets)[0];
  if (bytes != static_cast<double>(length)) {
    return absl::DataLossError(absl::StrCat("has ", length, " bytes, its shape takes ", bytes));
  }
  return TensorData{*type, *std::move(shape), std::string(data.substr((*offsets)[0], length))};
}

Value Numbers(absl::Span<const int64_t> numbers) {
  Value list;
  list.mutable_list_value();
  for (const int64_t number : numbers) {
    list.mutable_list_value()->add_values()->set_number_value(static_cast<double>(number));
  }
  return list;
}

std::string Checksum(uint32_t crc) { return absl::StrCat(absl::Hex(crc, absl::kZeroPad8)); }

// Where the checksum's digits stand in a header; npos if it has none. Nothing else reads so: within
// a JSON string the quotes would be escaped.
size_t FindChecksum(absl::string_view json) {
  const std::string key = absl::StrCat("\"", kChecksum, "\":\"");
  const size_t found = json.find(key);
  const bool whole = found != json.npos && json.size() - found >= key.size() + kNoChecksum.size();
  return whole ? found + key.size() : json.npos;
}

}  // namespace

absl::StatusOr<std::string> EncodeSafetensors(const Safetensors& contents) {
  Struct header;
  std::vector<absl::string_view> pieces = {"", ""};  // length and header
  int64_t offset = 0;
  for (const auto& [name, tensor] : contents.tensors.tensors()) {
    Struct& entry = *(*header.mutable_fields())[name].mutable_struct_value();
    auto& fields = *entry.mutable_fields();
    const int64_t end = offset + static_cast<int64_t>(tensor.bytes.size());
    fields["dtype"].set_string_value(std::string(NameOf(tensor.type)));
    fields["shape"] = Numbers(tensor.shape);
    fields["data_offsets"] = Numbers({offset, end});
    offset = end;
    pieces.push_back(tensor.bytes);
  }
  auto& metadata = *(*header.mutable_fields())[kMetadata].mutable_struct_value()->mutable_fields();
  for (const auto& [name, text] : contents.metadata) metadata[name].set_string_value(text);
  metadata[kChecksum].set_string_value(std::string(kNoChecksum));

  std::string json;
  if (!google::protobuf::util::MessageToJsonString(header, &json).ok()) {
    return absl::InternalError("a safetensors header is no JSON");
  }
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const uint64_t length = json.size();
  const std::string prefix(reinterpret_cast<const char*>(&length), sizeof(length));
  pieces[0] = prefix;
  pieces[1] = json;
  uint32_t crc = 0;
  for (const absl::string_view piece : pieces) crc = Crc32c(piece, crc);
  json.replace(FindChecksum(json), kNoChecksum.size(), Checksum(crc));
  return absl::StrJoin(pieces, "");
}

absl::Status WriteSafetensors(const std::string& path, const Safetensors& contents) {
  const absl::StatusOr<std::string> bytes = EncodeSafetensors(contents);
  if (!bytes.ok()) return bytes.status();
  return WriteFileAtomically(path, {*bytes});
}

absl::StatusOr<Safetensors> ReadSafetensors(const std::string& path) {
  const absl::StatusOr<std::string> file = ReadFile(path);
  if (!file.ok()) return file.status();
  return DecodeSafetensors(*file, path);
}

absl::StatusOr<Safetensors> DecodeSafetensors(const std::string& bytes, const std::string& name) {
  const auto damaged = [&name](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(name, " is damaged: ", what));
  };
  uint64_t length = 0;
  if (bytes.size() < sizeof(length)) return damaged("it has no header");
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > kMaxHeaderBytes || length > bytes.size() - sizeof(length)) {
    return damaged("its header is cut off");
  }
  std::string json = bytes.substr(sizeof(length), length);
  const absl::string_view data = absl::string_view(bytes).substr(sizeof(length) + length);
  Safetensors contents;
  if (const size_t checksum = FindChecksum(json); checksum != json.npos) {
    const std::string told = json.substr(checksum, kNoChecksum.size());
    json.replace(checksum, kNoChecksum.size(), std::string(kNoChecksum));
    const absl::string_view prefix(reinterpret_cast<const char*>(&length), sizeof(length));
    if (told != Checksum(Crc32c(data, Crc32c(json, Crc32c(prefix))))) {
      return damaged("its checksum does not match");
    }
    contents.checked = true;
  }
  Struct header;
  if (!google::protobuf::util::JsonStringToMessage(json, &header).ok()) {
    return damaged("its header is no JSON");
  }

  uint64_t total = 0;
  for (const auto& [tensor_name, value] : header.fields()) {
    if (tensor_name == kMetadata) {
      for (const auto& [key, text] : value.struct_value().fields()) {
        contents.metadata[key] = text.string_value();
      }
      contents.metadata.erase(kChecksum);
      continue;
    }
    absl::StatusOr<TensorData> tensor = ParseTensor(value, data);
    if (!tensor.ok()) {
      return damaged(absl::StrCat("tensor \"", tensor_name, "\" ", tensor.status().message()));
    }
    total += tensor->bytes.size();
    contents.tensors.Put(tensor_name, *std::move(tensor));
  }
  if (total != data.size()) {
    return damaged(
        absl::StrCat("it has ", data.size(), " bytes of tensors, its header tells of ", total));
  }
  return contents;
}

}  // namespace hivewire
