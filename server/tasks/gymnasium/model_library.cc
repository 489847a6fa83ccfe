#include "server/tasks/gymnasium/model_library.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/gymnasium/assets.h"

namespace hivewire {

std::vector<std::string> ModelLibrary::Names() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : GymnasiumAssets()) names.emplace_back(file.name);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::shared_ptr<const Model>> ModelLibrary::Get(const std::string& name) {
  // Held while a model is compiled, so that it is compiled once however many ask for it.
  MutexLock lock(mutex_);
  if (std::shared_ptr<const Model> held = models_[name].lock()) return held;
  for (const EmbeddedFile& file : GymnasiumAssets()) {
    if (file.name != name) continue;
    const absl::string_view xml(file.content.data(), file.content.size());
    auto model = Model::FromXml(xml, name);
    if (model.ok()) models_[name] = *model;
    return model;
  }
  return absl::NotFoundError(absl::StrCat("no model is named ", name));
}

}  // namespace hivewire
