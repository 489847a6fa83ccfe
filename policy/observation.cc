#include "policy/observation.h"

#include <cstdint>

namespace hivewire {
namespace {

template <typename T>
void CopyRows(const LeafView& leaf, size_t offset, size_t stride, absl::Span<float> out) {
  const size_t elements = leaf.row_elements;
  for (size_t row = 0; row < leaf.num_rows; ++row) {
    const T* from = leaf.as<T>() + row * elements;
    float* to = out.data() + row * stride + offset;
    for (size_t i = 0; i < elements; ++i) to[i] = static_cast<float>(from[i]);
  }
}

}  // namespace

std::vector<ObservationLeaf> ObservationLeaves(const std::vector<v1::LayoutLeaf>& leaves) {
  std::vector<ObservationLeaf> all;
  for (const v1::LayoutLeaf& leaf : leaves) {
    int elements = 1;
    for (const int64_t size : leaf.shape()) elements *= static_cast<int>(size);
    all.push_back({leaf.name(),
                   elements,
                   {leaf.shape().begin(), leaf.shape().end()},
                   leaf.dtype() == v1::DTYPE_UINT8 || leaf.dtype() == v1::DTYPE_BOOL});
  }
  return all;
}

ObservationFlattener::ObservationFlattener(const std::vector<v1::LayoutLeaf>& leaves) {
  for (const ObservationLeaf& leaf : ObservationLeaves(leaves)) dim_ += leaf.size;
}

void ObservationFlattener::Flatten(const std::vector<LeafBuffer>& leaves,
                                   absl::Span<float> out) const {
  std::vector<LeafView> views;
  for (const LeafBuffer& leaf : leaves) views.push_back(leaf.view());
  Flatten(views, out);
}

void ObservationFlattener::Flatten(absl::Span<const LeafView> leaves, absl::Span<float> out) const {
  size_t offset = 0;
  const size_t stride = static_cast<size_t>(dim_);
  for (const LeafView& leaf : leaves) {
    switch (leaf.dtype) {
      case v1::DTYPE_FLOAT32:
        CopyRows<float>(leaf, offset, stride, out);
        break;
      case v1::DTYPE_FLOAT64:
        CopyRows<double>(leaf, offset, stride, out);
        break;
      case v1::DTYPE_BOOL:
      case v1::DTYPE_UINT8:
        CopyRows<uint8_t>(leaf, offset, stride, out);
        break;
      case v1::DTYPE_INT32:
        CopyRows<int32_t>(leaf, offset, stride, out);
        break;
      case v1::DTYPE_INT64:
        CopyRows<int64_t>(leaf, offset, stride, out);
        break;
      case v1::DTYPE_UINT64:
        CopyRows<uint64_t>(leaf, offset, stride, out);
        break;
      default:  // VectorEnv refuses a dtype that it does not know.
        break;
    }
    offset += leaf.row_elements;
  }
}

}  // namespace hivewire
