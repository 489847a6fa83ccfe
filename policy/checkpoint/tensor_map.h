// Named tensors as plain bytes: what a checkpoint holds, without LibTorch.
//
// A plain value. Names are dotted: "model.actor.0.weight".
#ifndef HIVEWIRE_POLICY_CHECKPOINT_TENSOR_MAP_H_
#define HIVEWIRE_POLICY_CHECKPOINT_TENSOR_MAP_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hivewire {

enum class TensorType { kUint8, kInt64, kFloat32, kFloat64 };

// Bytes of one element.
size_t SizeOf(TensorType type);
// The name that safetensors gives it: "U8", "I64", "F32", "F64".
absl::string_view NameOf(TensorType type);

struct TensorData {
  TensorType type = TensorType::kUint8;
  // Outermost first; empty for a scalar.
  std::vector<int64_t> shape;
  // Little-endian, row-major.
  std::string bytes;
};

class TensorMap {
 public:
  void Put(const std::string& name, TensorData tensor) { tensors_[name] = std::move(tensor); }
  void PutDoubles(const std::string& name, absl::Span<const double> values);
  void PutFloats(const std::string& name, absl::Span<const float> values);
  void PutBytes(const std::string& name, absl::string_view bytes);

  // DATA_LOSS for a name that is not there.
  absl::StatusOr<const TensorData*> Get(absl::string_view name) const;
  // The same, and FAILED_PRECONDITION where type or number of elements differ.
  absl::Status GetDoubles(absl::string_view name, absl::Span<double> values) const;
  absl::Status GetFloats(absl::string_view name, absl::Span<float> values) const;
  absl::StatusOr<std::string> GetBytes(absl::string_view name) const;

  bool contains(absl::string_view name) const { return tensors_.count(std::string(name)) > 0; }
  const std::map<std::string, TensorData>& tensors() const { return tensors_; }

 private:
  std::map<std::string, TensorData> tensors_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_TENSOR_MAP_H_
