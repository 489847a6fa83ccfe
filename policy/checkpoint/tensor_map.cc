#include "policy/checkpoint/tensor_map.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

template <typename T>
TensorData Vector(TensorType type, absl::Span<const T> values) {
  return {type,
          {static_cast<int64_t>(values.size())},
          std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T))};
}

template <typename T>
absl::Status CopyOut(const absl::StatusOr<const TensorData*>& tensor, absl::string_view name,
                     TensorType type, absl::Span<T> values) {
  if (!tensor.ok()) return tensor.status();
  if ((*tensor)->type != type || (*tensor)->bytes.size() != values.size() * sizeof(T)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "tensor \"", name, "\" is ", (*tensor)->bytes.size() / SizeOf((*tensor)->type), " × ",
        NameOf((*tensor)->type), ", expected ", values.size(), " × ", NameOf(type)));
  }
  if (!values.empty()) std::memcpy(values.data(), (*tensor)->bytes.data(), (*tensor)->bytes.size());
  return absl::OkStatus();
}

}  // namespace

size_t SizeOf(TensorType type) {
  switch (type) {
    case TensorType::kUint8:
      return 1;
    case TensorType::kFloat32:
      return 4;
    case TensorType::kInt64:
    case TensorType::kFloat64:
      return 8;
  }
  return 0;
}

absl::string_view NameOf(TensorType type) {
  switch (type) {
    case TensorType::kUint8:
      return "U8";
    case TensorType::kInt64:
      return "I64";
    case TensorType::kFloat32:
      return "F32";
    case TensorType::kFloat64:
      return "F64";
  }
  return "";
}

void TensorMap::PutDoubles(const std::string& name, absl::Span<const double> values) {
  Put(name, Vector(TensorType::kFloat64, values));
}

void TensorMap::PutFloats(const std::string& name, absl::Span<const float> values) {
  Put(name, Vector(TensorType::kFloat32, values));
}

void TensorMap::PutBytes(const std::string& name, absl::string_view bytes) {
  Put(name, {TensorType::kUint8, {static_cast<int64_t>(bytes.size())}, std::string(bytes)});
}

absl::StatusOr<const TensorData*> TensorMap::Get(absl::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  if (found == tensors_.end()) {
    return absl::DataLossError(absl::StrCat("tensor \"", name, "\" is missing"));
  }
  return &found->second;
}

absl::Status TensorMap::GetDoubles(absl::string_view name, absl::Span<double> values) const {
  return CopyOut(Get(name), name, TensorType::kFloat64, values);
}

absl::Status TensorMap::GetFloats(absl::string_view name, absl::Span<float> values) const {
  return CopyOut(Get(name), name, TensorType::kFloat32, values);
}

absl::StatusOr<std::string> TensorMap::GetBytes(absl::string_view name) const {
  absl::StatusOr<const TensorData*> tensor = Get(name);
  if (!tensor.ok()) return tensor.status();
  if ((*tensor)->type != TensorType::kUint8) {
    return absl::FailedPreconditionError(
        absl::StrCat("tensor \"", name, "\" is ", NameOf((*tensor)->type), ", expected U8"));
  }
  return (*tensor)->bytes;
}

}  // namespace hivewire
