#include "policy/transforms/observations.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "policy/nn/device.h"
#include "policy/nn/guard_torch.h"
#include "policy/observation.h"
#include "policy/transforms/transform.h"

namespace hivewire {
namespace {

std::string NameOf(size_t transform) { return absl::StrCat("transform.", transform); }

at::ScalarType TorchType(v1::DType dtype) {
  switch (dtype) {
    case v1::DTYPE_FLOAT64:
      return at::kDouble;
    case v1::DTYPE_BOOL:
    case v1::DTYPE_UINT8:
      return at::kByte;
    case v1::DTYPE_INT32:
      return at::kInt;
    case v1::DTYPE_INT64:
    case v1::DTYPE_UINT64:
      return at::kLong;
    default:
      return at::kFloat;
  }
}

class Plain : public Observations {
 public:
  explicit Plain(const std::vector<v1::LayoutLeaf>& leaves)
      : flattener_(leaves), leaves_(ObservationLeaves(leaves)) {}

  int dim() const override { return flattener_.dim(); }
  const std::vector<ObservationLeaf>& leaves() const override { return leaves_; }
  absl::Status Show(absl::Span<const uint32_t>, absl::Span<const uint8_t>,
                    const std::vector<LeafBuffer>& leaves, absl::Span<float> out) override {
    flattener_.Flatten(leaves, out);
    return absl::OkStatus();
  }
  absl::Status Save(TensorMap&) const override { return absl::OkStatus(); }
  absl::Status Load(const TensorMap&) override { return absl::OkStatus(); }

 private:
  const ObservationFlattener flattener_;
  const std::vector<ObservationLeaf> leaves_;
};

class Transformed : public Observations {
 public:
  Transformed(std::vector<LeafShape> given, std::vector<std::unique_ptr<Transform>> transforms,
              std::vector<ObservationLeaf> leaves, at::Device device)
      : given_(std::move(given)),
        transforms_(std::move(transforms)),
        leaves_(std::move(leaves)),
        device_(device) {
    for (const ObservationLeaf& leaf : leaves_) dim_ += leaf.size;
  }

  int dim() const override { return dim_; }
  const std::vector<ObservationLeaf>& leaves() const override { return leaves_; }

  absl::Status Show(absl::Span<const uint32_t> lanes, absl::Span<const uint8_t> first,
                    const std::vector<LeafBuffer>& leaves, absl::Span<float> out) override {
    return GuardTorch("transforms", [&] {
      const c10::NoGradGuard no_grad;
      const auto rows = static_cast<int64_t>(lanes.size());
      std::vector<at::Tensor> tensors;
      for (size_t i = 0; i < given_.size(); ++i) {
        std::vector<int64_t> shape = {rows};
        shape.insert(shape.end(), given_[i].shape.begin(), given_[i].shape.end());
        // A view; nothing here writes through it.
        tensors.push_back(
            at::from_blob(const_cast<char*>(leaves[i].data()), shape, given_[i].dtype).to(device_));
      }
      for (const auto& transform : transforms_) transform->Apply({lanes, first}, tensors);
      at::Tensor all = at::from_blob(out.data(), {rows, dim_}, at::kFloat);
      int64_t column = 0;
      for (const at::Tensor& tensor : tensors) {
        const at::Tensor flat = tensor.reshape({rows, -1});
        all.narrow(1, column, flat.size(1)).copy_(flat);
        column += flat.size(1);
      }
    });
  }

  absl::Status Save(TensorMap& tensors) const override {
    return GuardTorch("saving transforms", [&] {
      for (size_t i = 0; i < transforms_.size(); ++i) transforms_[i]->Save(NameOf(i), tensors);
    });
  }

  absl::Status Load(const TensorMap& tensors) override {
    return GuardTorch("loading transforms", [&] {
      absl::Status status;
      for (size_t i = 0; status.ok() && i < transforms_.size(); ++i) {
        status = transforms_[i]->Load(NameOf(i), tensors);
      }
      return status;
    });
  }

 private:
  const std::vector<LeafShape> given_;
  const std::vector<std::unique_ptr<Transform>> transforms_;
  const std::vector<ObservationLeaf> leaves_;
  const at::Device device_;
  int dim_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Observations>> Observations::Make(
    const v1::LearnerConfig& config, const std::vector<v1::LayoutLeaf>& leaves, int num_lanes) {
  if (config.transforms().empty()) return std::make_unique<Plain>(leaves);
  const absl::StatusOr<c10::Device> device = OpenDevice(config.device());
  if (!device.ok()) return device.status();
  return GuardTorch("making transforms", [&]() -> absl::StatusOr<std::unique_ptr<Observations>> {
    std::vector<LeafShape> given;
    for (const v1::LayoutLeaf& leaf : leaves) {
      given.push_back(
          {leaf.name(), TorchType(leaf.dtype()), {leaf.shape().begin(), leaf.shape().end()}});
    }
    std::vector<LeafShape> shown = given;
    std::vector<std::unique_ptr<Transform>> transforms;
    for (int i = 0; i < config.transforms_size(); ++i) {
      auto transform = MakeTransform(config.transforms(i), num_lanes, shown);
      if (!transform.ok()) {
        return Annotate(transform.status(), absl::StrCat("transforms[", i, "]"));
      }
      transforms.push_back(*std::move(transform));
    }
    std::vector<ObservationLeaf> all;
    for (const LeafShape& leaf : shown) {
      int64_t elements = 1;
      for (const int64_t size : leaf.shape) elements *= size;
      all.push_back({leaf.name, static_cast<int>(elements), leaf.shape, leaf.dtype == at::kByte});
    }
    return std::make_unique<Transformed>(std::move(given), std::move(transforms), std::move(all),
                                         *device);
  });
}

}  // namespace hivewire
