#include "policy/config/presets.h"

#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "base/textproto.h"
#include "hivewire/v1/preset.pb.h"
#include "policy/config/merge.h"
#include "policy/config/preset_files.h"

namespace hivewire {
namespace {

// More than any preset builds on: one that builds on itself ends here.
constexpr int kMostBases = 16;

struct Library {
  absl::Status status;
  v1::PresetList list;
};

const Library& TheLibrary() {
  static const auto* const library = [] {
    auto* all = new Library();
    for (const EmbeddedFile& file : PresetFiles()) {
      v1::PresetList list;
      absl::Status status =
          TextprotoFile::Parse("presets/" + std::string(file.name), std::string(file.content), list)
              .status();
      all->status.Update(status);
      all->list.MergeFrom(list);
    }
    return all;
  }();
  return *library;
}

absl::Status Merge(const std::string& name, int depth, v1::LearnerConfig& config) {
  const Library& library = TheLibrary();
  if (!library.status.ok()) return library.status;
  if (depth > kMostBases) {
    return absl::InternalError(absl::StrCat("preset \"", name, "\" builds on itself"));
  }
  std::vector<std::string> names = {kRecommended};
  for (const v1::Preset& preset : library.list.presets()) {
    names.push_back(preset.name());
    if (preset.name() != name) continue;
    for (const std::string& base : preset.base()) {
      if (absl::Status status = Merge(base, depth + 1, config); !status.ok()) return status;
    }
    MergeConfig(preset.config(), config);
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("there is no preset \"", name, "\"", NearestHint(name, names)));
}

}  // namespace

std::vector<PresetSummary> PresetSummaries() {
  std::vector<PresetSummary> summaries;
  for (const v1::Preset& preset : TheLibrary().list.presets()) {
    summaries.push_back({preset.name(), preset.description()});
  }
  return summaries;
}

absl::Status MergePreset(const std::string& name, v1::LearnerConfig& config) {
  return Merge(name, 0, config);
}

absl::StatusOr<std::string> RecommendedPreset(const std::string& env_id) {
  std::vector<std::string> ids;
  for (const v1::Preset& preset : TheLibrary().list.presets()) {
    for (const std::string& id : preset.recommended_for()) {
      if (id == env_id) return preset.name();
      ids.push_back(id);
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no preset is recommended for env \"", env_id, "\"", NearestHint(env_id, ids)));
}

}  // namespace hivewire
