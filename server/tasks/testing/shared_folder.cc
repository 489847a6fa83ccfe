#include "server/tasks/testing/shared_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace hivewire {
namespace {

namespace fs = std::filesystem;

constexpr char kSimHive[] = "HIVEWIRE_SIMHIVE";

}  // namespace

std::string SharedFolder(const char* variable, const std::string& name) {
  std::error_code error;
  const char* const set = std::getenv(variable);
  if (set != nullptr && *set != '\0') return fs::is_directory(set, error) ? set : "";
  // The checkout: a test's files are links into it.
  const fs::path here = fs::canonical("server/tasks/testing/BUILD", error);
  if (error) return "";
  const fs::path checkout = here.parent_path().parent_path().parent_path().parent_path();
  const fs::path folder = checkout / "../shared" / name;
  return fs::is_directory(folder, error) ? folder.lexically_normal().string() : "";
}

bool UseSharedSimHive() {
  const std::string folder = SharedFolder(kSimHive, "simhive");
  if (folder.empty()) return false;
  setenv(kSimHive, folder.c_str(), /*overwrite=*/1);
  return true;
}

}  // namespace hivewire
