#include "client/leaf_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/layout.h"

namespace hivewire {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

LeafBuffer::LeafBuffer(std::string name, v1::DType dtype, std::vector<int64_t> shape)
    : name_(std::move(name)), dtype_(dtype), shape_(std::move(shape)), row_elements_(1) {
  for (const int64_t extent : shape_) row_elements_ *= static_cast<size_t>(extent);
  row_bytes_ = row_elements_ * SizeOf(dtype);
}

void LeafBuffer::Resize(size_t num_rows) {
  const size_t bytes = num_rows * row_bytes_;
  if (bytes > capacity_bytes_) {
    const size_t capacity = std::max(bytes, 2 * capacity_bytes_);
    std::unique_ptr<char, AlignedDelete> grown(
        static_cast<char*>(operator new(capacity, kAlignment)));
    if (num_rows_ > 0) std::memcpy(grown.get(), data_.get(), num_rows_ * row_bytes_);
    data_ = std::move(grown);
    capacity_bytes_ = capacity;
  }
  num_rows_ = num_rows;
}

void LeafBuffer::AlignedDelete::operator()(char* data) const { operator delete(data, kAlignment); }

}  // namespace hivewire
