// How N rows lie in one payload: the offsets and the hash of a v1::Layout (spec.proto), for servers
// and clients alike.
#ifndef HIVEWIRE_BASE_LAYOUT_H_
#define HIVEWIRE_BASE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// Bytes of one element; 0 for a dtype that is none.
size_t SizeOf(v1::DType dtype);

// product(shape): 1 for a scalar.
size_t NumElements(const google::protobuf::RepeatedField<int64_t>& shape);

// A leaf for `spec` in `role`, with row_bytes set.
v1::LayoutLeaf MakeLayoutLeaf(const v1::LeafSpec& spec, v1::LeafRole role);
v1::LayoutLeaf MakeLayoutLeaf(absl::string_view name, v1::LeafRole role, v1::DType dtype);

// Sets layout.hash from its leaves, the engine and the edition.
void SetLayoutHash(absl::string_view engine, absl::string_view edition, v1::Layout& layout);

// Offsets of a layout's leaves in a payload of N rows.
//
// Copyable, cheap to query, thread-safe to read.
class PayloadLayout {
 public:
  PayloadLayout() = default;
  explicit PayloadLayout(const v1::Layout& layout);

  size_t num_leaves() const { return row_bytes_.size(); }
  size_t row_bytes(size_t leaf) const { return row_bytes_[leaf]; }

  // Of a payload of `num_rows` rows, in bytes.
  size_t PayloadBytes(size_t num_rows) const;
  // Of leaf `leaf`'s slab. Walks the leaves; for a loop over all of them there is
  // ForEachLeaf.
  size_t Offset(size_t leaf, size_t num_rows) const;
  void Offsets(size_t num_rows, std::vector<size_t>& offsets) const;
  // Calls visit(leaf, offset of its slab) for each leaf, in order.
  template <typename Visit>
  void ForEachLeaf(size_t num_rows, Visit visit) const {
    size_t offset = 0;
    for (size_t leaf = 0; leaf < row_bytes_.size(); ++leaf) {
      visit(leaf, offset);
      offset = Align(offset + num_rows * row_bytes_[leaf]);
    }
  }
  // The most rows whose payload is not larger than `max_bytes`; 0 where one row is already larger.
  size_t MaxRows(size_t max_bytes) const;

 private:
  static constexpr size_t kAlignment = 64;
  static size_t Align(size_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

  std::vector<size_t> row_bytes_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_LAYOUT_H_
