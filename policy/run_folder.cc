#include "policy/run_folder.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/checkpoint/atomic_file.h"

namespace hivewire {
namespace {

// Names become part of a path.
std::string Harmless(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](unsigned char c) { return !absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '_'; },
      '-');
  return text;
}

std::string NewPath(const v1::LearnerConfig& config) {
  const std::string stem =
      absl::StrCat(config.output().folder(), "/", Harmless(config.env().id()), "__",
                   Harmless(config.name()), "__", config.seed(), "__",
                   absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::LocalTimeZone()));
  std::string path = stem;
  for (int i = 2; std::filesystem::exists(path); ++i) path = absl::StrCat(stem, "-", i);
  return path;
}

}  // namespace

absl::StatusOr<RunFolder> RunFolder::Create(const v1::LearnerConfig& config,
                                            const std::string& path) {
  RunFolder folder(path.empty() ? NewPath(config) : path);
  std::error_code error;
  if (std::filesystem::exists(folder.config_file(), error)) {
    return absl::AlreadyExistsError(absl::StrCat(
        folder.path_, " holds a run already; --resume=", folder.path_, " goes on with it"));
  }
  std::filesystem::create_directories(folder.path_, error);
  if (error) {
    return absl::UnknownError(
        absl::StrCat("cannot make the run folder ", folder.path_, ": ", error.message()));
  }
  if (absl::Status status = folder.WriteConfig(config); !status.ok()) return status;
  return folder;
}

absl::StatusOr<RunFolder> RunFolder::Open(const std::string& path) {
  std::error_code error;
  RunFolder folder(path);
  while (folder.path_.size() > 1 && folder.path_.back() == '/') folder.path_.pop_back();
  if (!std::filesystem::exists(folder.config_file(), error)) {
    return absl::NotFoundError(absl::StrCat(path, " is no run folder: it has no config.textproto"));
  }
  return folder;
}

std::string RunFolder::id() const {
  return std::filesystem::path(path_ + "/").parent_path().filename().string();
}

std::string RunFolder::video(int64_t frames) const {
  return absl::StrFormat("%s/%012d.gif", videos(), frames);
}

absl::Status RunFolder::WriteConfig(const v1::LearnerConfig& config) const {
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return WriteFileAtomically(config_file(), {text});
}

}  // namespace hivewire
