#include <ATen/ATen.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/transforms/transforms.h"

namespace hivewire {
namespace {

// Keeps, by lane, what the last `frames` rows showed, oldest first; an episode's first row stands
// for those that were not.
class FrameStack : public Transform {
 public:
  FrameStack(std::vector<size_t> chosen, int64_t frames, const std::vector<LeafShape>& leaves,
             int64_t num_lanes)
      : chosen_(std::move(chosen)) {
    for (const size_t k : chosen_) {
      std::vector<int64_t> shape = {num_lanes, frames};
      shape.insert(shape.end(), leaves[k].shape.begin(), leaves[k].shape.end());
      kept_.push_back(at::zeros(shape, leaves[k].dtype));
    }
  }

  void Apply(const TransformRows& rows, std::vector<at::Tensor>& leaves) override {
    const auto num_rows = static_cast<int64_t>(rows.lanes.size());
    at::Tensor lanes = at::empty({num_rows}, at::kLong);
    at::Tensor first = at::empty({num_rows}, at::kBool);
    for (int64_t row = 0; row < num_rows; ++row) {
      lanes.data_ptr<int64_t>()[row] = rows.lanes[static_cast<size_t>(row)];
      first.data_ptr<bool>()[row] = rows.first[static_cast<size_t>(row)] != 0;
    }
    for (size_t i = 0; i < chosen_.size(); ++i) {
      at::Tensor& leaf = leaves[chosen_[i]];
      kept_[i] = kept_[i].to(leaf.device());
      const at::Tensor index = lanes.to(leaf.device());
      at::Tensor stack = kept_[i].index_select(0, index);
      const int64_t frames = stack.size(1);
      const at::Tensor newest = leaf.unsqueeze(1);
      stack = at::cat({stack.narrow(1, 1, frames - 1), newest}, 1);
      std::vector<int64_t> mask(static_cast<size_t>(stack.dim()), 1);
      mask[0] = num_rows;
      stack = at::where(first.to(leaf.device()).view(mask), newest.expand_as(stack), stack);
      kept_[i].index_copy_(0, index, stack);
      leaf = stack.flatten(1, 2);
    }
  }

  void Save(const std::string& prefix, TensorMap& tensors) const override {
    for (size_t i = 0; i < kept_.size(); ++i) {
      const at::Tensor kept = kept_[i].cpu().contiguous();
      tensors.PutBytes(absl::StrCat(prefix, ".", i),
                       {static_cast<const char*>(kept.const_data_ptr()), kept.nbytes()});
    }
  }

  absl::Status Load(const std::string& prefix, const TensorMap& tensors) override {
    for (size_t i = 0; i < kept_.size(); ++i) {
      const std::string name = absl::StrCat(prefix, ".", i);
      const absl::StatusOr<std::string> bytes = tensors.GetBytes(name);
      if (!bytes.ok()) return bytes.status();
      at::Tensor kept = at::empty_like(kept_[i], at::TensorOptions(at::kCPU));
      if (bytes->size() != kept.nbytes()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "tensor \"", name, "\" has ", bytes->size(), " bytes, not ", kept.nbytes()));
      }
      std::copy(bytes->begin(), bytes->end(), static_cast<char*>(kept.data_ptr()));
      kept_[i] = kept;
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<size_t> chosen_;
  // (lanes, frames, shape…) each.
  std::vector<at::Tensor> kept_;
};

bool IsAnArray(const LeafShape& leaf) { return !leaf.shape.empty(); }

}  // namespace

MadeTransform MakeFrameStack(const v1::TransformConfig& config, int num_lanes,
                             std::vector<LeafShape>& leaves) {
  if (config.frames() < 2 || config.frames() > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("frames is ", config.frames(), "; frame_stack takes 2 … 64"));
  }
  auto chosen = ChosenLeaves(config, leaves, "arrays", IsAnArray);
  if (!chosen.ok()) return chosen.status();
  const std::vector<LeafShape> given = leaves;
  for (const size_t k : *chosen) leaves[k].shape[0] *= config.frames();
  return std::make_unique<FrameStack>(*std::move(chosen), config.frames(), given, num_lanes);
}

}  // namespace hivewire
