#include "server/tasks/robohive/model_library.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/tasks/robohive/model_text.h"
#include "server/tasks/robohive/simhive.h"

namespace hivewire {
namespace {

absl::StatusOr<std::shared_ptr<const Model>> Compile(const std::string& name,
                                                     const std::string& simhive,
                                                     const ModelVariant& variant) {
  auto text = RoboHiveModelText(name, simhive);
  if (!text.ok()) return text.status();
  if (!variant.moved_body.empty()) {
    text = Model::Flatten(*text, name);
    if (text.ok()) text = MoveBody(*text, variant.moved_body, variant.new_parent);
    if (!text.ok()) return text.status();
  }
  return Model::FromXml(*text, name, [&](mjModel& model) {
    if (variant.edit) variant.edit(model);
  });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Model>> RoboHiveLibrary::Get(const std::string& model,
                                                                  const ModelVariant& variant) {
  const auto simhive = FindSimHive();
  if (!simhive.ok()) return simhive.status();
  // Held while a model is compiled, so that it is compiled once however many ask for it.
  MutexLock lock(mutex_);
  std::weak_ptr<const Model>& slot = models_[absl::StrCat(model, "\n", variant.name)];
  if (std::shared_ptr<const Model> held = slot.lock()) return held;
  auto compiled = Compile(model, *simhive, variant);
  if (compiled.ok()) {
    slot = *compiled;
  } else if (absl::StrContains(compiled.status().message(), "Error opening file")) {
    return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                     absl::StrCat(compiled.status().message(),
                                  "; get the commits that RoboHive 0.7.0 pins with "
                                  "deploy/fetch_simhive.sh"));
  }
  return compiled;
}

}  // namespace hivewire
