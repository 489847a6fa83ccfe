#include "server/tasks/robohive/simhive.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

constexpr char kVariable[] = "HIVEWIRE_SIMHIVE";
constexpr char kCommand[] = "deploy/fetch_simhive.sh";

// Those that RoboHive's models include.
constexpr const char* kRepositories[] = {
    "Adroit",     "YCB_sim",   "fetch_sim",   "franka_sim", "furniture_sim",
    "object_sim", "robel_sim", "robotiq_sim", "scene_sim",  "trifinger_sim"};

bool HoldsRepositories(const fs::path& folder) {
  std::error_code error;
  for (const char* repository : kRepositories) {
    if (fs::is_directory(folder / repository, error)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> FindSimHive() {
  std::vector<fs::path> candidates;
  std::vector<std::string> tried;
  const char* const set = std::getenv(kVariable);
  if (set != nullptr && *set != '\0') {
    candidates.emplace_back(set);
    tried.push_back(absl::StrCat(kVariable, "=", set));
  } else {
    tried.push_back(absl::StrCat(kVariable, " (not set)"));
  }
  candidates.emplace_back("../shared/simhive");
  tried.emplace_back("../shared/simhive");
  if (const char* home = std::getenv("HOME")) {
    candidates.push_back(fs::path(home) / ".robohive");
    tried.emplace_back("~/.robohive");
  }
  for (const fs::path& candidate : candidates) {
    for (const char* below : {"", "simhive", "robohive/simhive"}) {
      const fs::path folder = candidate / below;
      if (!HoldsRepositories(folder)) continue;
      std::error_code error;
      return fs::absolute(folder, error).lexically_normal().string();
    }
  }
  return MakeError(
      v1::ERROR_REASON_NOT_SUPPORTED,
      absl::StrCat("this server has no SimHive, the meshes of RoboHive's models; looked in ",
                   absl::StrJoin(tried, ", "), "; get it with ", kCommand));
}

absl::Status MissingSimHiveFile(absl::string_view file, absl::string_view folder) {
  return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                   absl::StrCat("SimHive in ", folder, " has no ", file,
                                "; get the commits that RoboHive 0.7.0 pins with ", kCommand));
}

}  // namespace hivewire
