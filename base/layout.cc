#include "base/layout.h"

namespace hivewire {
namespace {

// FNV-1a, 64 bit.
class Fnv {
 public:
  void Add(absl::string_view bytes) {
    for (const char byte : bytes) AddByte(static_cast<uint8_t>(byte));
  }
  void AddTerminated(absl::string_view bytes) {
    Add(bytes);
    AddByte(0);
  }
  void AddUint32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) AddByte(static_cast<uint8_t>(value >> shift));
  }
  uint64_t value() const { return value_; }

 private:
  void AddByte(uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3u; }

  uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace

size_t SizeOf(v1::DType dtype) {
  switch (dtype) {
    case v1::DTYPE_BOOL:
    case v1::DTYPE_UINT8:
      return 1;
    case v1::DTYPE_INT32:
    case v1::DTYPE_FLOAT32:
      return 4;
    case v1::DTYPE_INT64:
    case v1::DTYPE_UINT64:
    case v1::DTYPE_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

size_t NumElements(const google::protobuf::RepeatedField<int64_t>& shape) {
  size_t elements = 1;
  for (const int64_t extent : shape) elements *= static_cast<size_t>(extent);
  return elements;
}

v1::LayoutLeaf MakeLayoutLeaf(const v1::LeafSpec& spec, v1::LeafRole role) {
  v1::LayoutLeaf leaf;
  leaf.set_name(spec.name());
  leaf.set_role(role);
  leaf.set_dtype(spec.dtype());
  *leaf.mutable_shape() = spec.shape();
  leaf.set_row_bytes(NumElements(spec.shape()) * SizeOf(spec.dtype()));
  return leaf;
}

v1::LayoutLeaf MakeLayoutLeaf(absl::string_view name, v1::LeafRole role, v1::DType dtype) {
  v1::LeafSpec spec;
  spec.set_name(std::string(name));
  spec.set_dtype(dtype);
  return MakeLayoutLeaf(spec, role);
}

void SetLayoutHash(absl::string_view engine, absl::string_view edition, v1::Layout& layout) {
  Fnv hash;
  for (const v1::LayoutLeaf& leaf : layout.leaves()) {
    hash.AddTerminated(leaf.name());
    hash.AddUint32(static_cast<uint32_t>(leaf.role()));
    hash.AddUint32(static_cast<uint32_t>(leaf.dtype()));
    hash.AddUint32(static_cast<uint32_t>(leaf.shape_size()));
    for (const int64_t extent : leaf.shape()) hash.AddUint32(static_cast<uint32_t>(extent));
  }
  hash.AddTerminated(engine);
  hash.AddTerminated(edition);
  layout.set_hash(hash.value());
}

PayloadLayout::PayloadLayout(const v1::Layout& layout) {
  row_bytes_.reserve(static_cast<size_t>(layout.leaves_size()));
  for (const v1::LayoutLeaf& leaf : layout.leaves()) row_bytes_.push_back(leaf.row_bytes());
}

size_t PayloadLayout::Offset(size_t leaf, size_t num_rows) const {
  size_t offset = 0;
  for (size_t k = 0; k < leaf; ++k) offset = Align(offset + num_rows * row_bytes_[k]);
  return offset;
}

size_t PayloadLayout::PayloadBytes(size_t num_rows) const {
  if (row_bytes_.empty()) return 0;
  return Offset(row_bytes_.size() - 1, num_rows) + num_rows * row_bytes_.back();
}

void PayloadLayout::Offsets(size_t num_rows, std::vector<size_t>& offsets) const {
  offsets.resize(row_bytes_.size());
  ForEachLeaf(num_rows, [&](size_t leaf, size_t offset) { offsets[leaf] = offset; });
}

size_t PayloadLayout::MaxRows(size_t max_bytes) const {
  size_t low = 0;
  size_t high = max_bytes + 1;  // PayloadBytes(high) > max_bytes, unless rows are empty
  while (low + 1 < high) {
    const size_t middle = low + (high - low) / 2;
    (PayloadBytes(middle) <= max_bytes ? low : high) = middle;
  }
  return low;
}

}  // namespace hivewire
