// One leaf of many lanes: an (N, shape) array, row-major. LeafBuffer owns it, on a 64-byte
// boundary, and keeps its memory when it is made smaller; LeafView looks at one that lies
// elsewhere.
//
// Plain values. The reader asks for the dtype that the leaf has.
#ifndef HIVEWIRE_CLIENT_LEAF_BUFFER_H_
#define HIVEWIRE_CLIENT_LEAF_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hivewire/v1/types.pb.h"

namespace hivewire {

struct LeafView {
  v1::DType dtype = v1::DTYPE_UNSPECIFIED;
  // Elements and bytes of one row.
  size_t row_elements = 0;
  size_t row_bytes = 0;
  size_t num_rows = 0;
  const char* data = nullptr;

  const char* row(size_t index) const { return data + index * row_bytes; }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data);
  }
};

class LeafBuffer {
 public:
  LeafBuffer() = default;
  // `shape` is one row's.
  LeafBuffer(std::string name, v1::DType dtype, std::vector<int64_t> shape);

  const std::string& name() const { return name_; }
  v1::DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  // Elements and bytes of one row.
  size_t row_elements() const { return row_elements_; }
  size_t row_bytes() const { return row_bytes_; }
  size_t num_rows() const { return num_rows_; }

  void Resize(size_t num_rows);

  char* row(size_t index) { return data() + index * row_bytes_; }
  const char* row(size_t index) const { return data() + index * row_bytes_; }
  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }

  LeafView view() const { return {dtype_, row_elements_, row_bytes_, num_rows_, data()}; }

  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data());
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data());
  }

 private:
  struct AlignedDelete {
    void operator()(char* data) const;
  };

  std::string name_;
  v1::DType dtype_ = v1::DTYPE_UNSPECIFIED;
  std::vector<int64_t> shape_;
  size_t row_elements_ = 0;
  size_t row_bytes_ = 0;
  size_t num_rows_ = 0;
  size_t capacity_bytes_ = 0;
  std::unique_ptr<char, AlignedDelete> data_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_LEAF_BUFFER_H_
