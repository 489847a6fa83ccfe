#include "policy/nn/flat_parameters.h"

#include <ATen/ATen.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hivewire {

FlatParameters::FlatParameters(std::vector<NamedTensor> parameters, at::Device device)
    : parameters_(std::move(parameters)) {
  int64_t size = 0;
  for (const NamedTensor& parameter : parameters_) size += parameter.tensor.numel();
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  values_ = at::zeros({size}, options);
  gradients_ = at::zeros({size}, options);
  int64_t offset = 0;
  for (NamedTensor& parameter : parameters_) {
    at::Tensor& tensor = parameter.tensor;
    const int64_t length = tensor.numel();
    at::Tensor view = values_.narrow(0, offset, length).view(tensor.sizes());
    view.copy_(tensor.detach());
    tensor.set_data(view);
    tensor.mutable_grad() = gradients_.narrow(0, offset, length).view(tensor.sizes());
    offset += length;
  }
}

void FlatParameters::Save(const std::string& prefix, const at::Tensor& flat,
                          TensorMap& tensors) const {
  const at::Tensor host = flat.detach().cpu();
  const float* data = host.data_ptr<float>();
  for (const NamedTensor& parameter : parameters_) {
    const int64_t length = parameter.tensor.numel();
    tensors.Put(absl::StrCat(prefix, ".", parameter.name),
                {TensorType::kFloat32, parameter.tensor.sizes().vec(),
                 std::string(reinterpret_cast<const char*>(data), length * sizeof(float))});
    data += length;
  }
}

absl::Status FlatParameters::Load(const std::string& prefix, const TensorMap& tensors,
                                  at::Tensor& flat) const {
  at::Tensor host = at::empty({flat.numel()}, at::kFloat);
  float* data = host.data_ptr<float>();
  for (const NamedTensor& parameter : parameters_) {
    const std::string name = absl::StrCat(prefix, ".", parameter.name);
    absl::StatusOr<const TensorData*> tensor = tensors.Get(name);
    if (!tensor.ok()) return tensor.status();
    const std::vector<int64_t> shape = parameter.tensor.sizes().vec();
    if ((*tensor)->type != TensorType::kFloat32 || (*tensor)->shape != shape) {
      return absl::FailedPreconditionError(
          absl::StrCat("tensor \"", name, "\" is ", NameOf((*tensor)->type), " (",
                       absl::StrJoin((*tensor)->shape, ", "), "), expected F32 (",
                       absl::StrJoin(shape, ", "), ")"));
    }
    std::memcpy(data, (*tensor)->bytes.data(), (*tensor)->bytes.size());
    data += parameter.tensor.numel();
  }
  flat.copy_(host);
  return absl::OkStatus();
}

}  // namespace hivewire
