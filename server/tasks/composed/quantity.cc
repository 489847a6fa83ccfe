#include "server/tasks/composed/quantity.h"

#include <algorithm>
#include <utility>

#include "absl/container/fixed_array.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/composed/operation.h"
#include "server/tasks/composed/source.h"

namespace hivewire {

absl::StatusOr<Quantity> Quantity::Compile(const v1::Quantity& proto, const Setting& setting,
                                           absl::string_view field) {
  Quantity quantity;
  auto source = CompileSource(proto, setting, field);
  if (!source.ok()) return source.status();
  quantity.Append(*std::move(source));
  for (int i = 0; i < proto.then_size(); ++i) {
    auto operation = CompileOperation(proto.then(i), quantity.size_, quantity.element_names_,
                                      absl::StrCat(field, ".then[", i, "]"));
    if (!operation.ok()) return operation.status();
    quantity.Append(*std::move(operation));
  }
  return quantity;
}

void Quantity::Evaluate(const Scene& scene, double* out) const {
  absl::FixedArray<double, kInlineWorkspace> workspace(workspace_);
  EvaluateIn(scene, workspace.data());
  std::copy_n(workspace.data(), size_, out);
}

double Quantity::Value(const Scene& scene) const {
  absl::FixedArray<double, kInlineWorkspace> workspace(workspace_);
  EvaluateIn(scene, workspace.data());
  return workspace[0];
}

bool Quantity::Holds(const Scene& scene) const {
  absl::FixedArray<double, kInlineWorkspace> workspace(workspace_);
  EvaluateIn(scene, workspace.data());
  return std::any_of(workspace.begin(), workspace.begin() + size_,
                     [](double element) { return element != 0; });
}

void Quantity::EvaluateIn(const Scene& scene, double* workspace) const {
  for (const auto& step : steps_) step(scene, workspace);
}

void Quantity::Append(QuantityStage stage) {
  steps_.push_back(std::move(stage.run));
  size_ = stage.size;
  workspace_ = std::max({workspace_, stage.size, stage.workspace});
  depth_ = std::max(depth_, stage.depth);
  element_names_ = std::move(stage.element_names);
}

}  // namespace hivewire
