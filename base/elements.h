// Elements of leaves whose dtype is known only at run time: numbers out of bytes and back, which
// need not be aligned.
#ifndef HIVEWIRE_BASE_ELEMENTS_H_
#define HIVEWIRE_BASE_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hivewire/v1/types.pb.h"

namespace hivewire {

// Calls `visit` with a zero of the C++ type of `dtype`; bool is uint8_t, 0 or 1.
template <typename Visit>
auto WithElementType(v1::DType dtype, Visit visit) {
  switch (dtype) {
    case v1::DTYPE_FLOAT32:
      return visit(float{});
    case v1::DTYPE_FLOAT64:
      return visit(double{});
    case v1::DTYPE_INT32:
      return visit(int32_t{});
    case v1::DTYPE_INT64:
      return visit(int64_t{});
    case v1::DTYPE_UINT64:
      return visit(uint64_t{});
    default:
      return visit(uint8_t{});
  }
}

// `count` elements as numbers; returns where the next would be written.
template <typename Number>
Number* ReadElements(v1::DType dtype, const char* from, size_t count, Number* to) {
  return WithElementType(dtype, [=](auto zero) mutable {
    using Element = decltype(zero);
    for (size_t k = 0; k < count; ++k) {
      Element element;
      std::memcpy(&element, from + k * sizeof(Element), sizeof(Element));
      *to++ = static_cast<Number>(element);
    }
    return to;
  });
}

// `count` numbers as elements, which they are known to fit; returns where the next would be
// written.
inline char* WriteElements(v1::DType dtype, const double* from, size_t count, char* to) {
  return WithElementType(dtype, [=](auto zero) mutable {
    using Element = decltype(zero);
    for (size_t k = 0; k < count; ++k) {
      const Element element = static_cast<Element>(from[k]);
      std::memcpy(to, &element, sizeof(Element));
      to += sizeof(Element);
    }
    return to;
  });
}

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_ELEMENTS_H_
