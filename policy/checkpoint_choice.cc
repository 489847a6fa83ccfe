#include "policy/checkpoint_choice.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/checkpoint/checkpoint.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

// The run whose checkpoints lie in `folder`.
std::optional<RunFolder> RunOf(const fs::path& folder) {
  const fs::path run = (folder / ".").lexically_normal().parent_path().parent_path();
  absl::StatusOr<RunFolder> found = RunFolder::Open(run.empty() ? "." : run.string());
  if (!found.ok()) return std::nullopt;
  std::error_code error;
  if (!fs::equivalent(found->checkpoints(), folder, error)) return std::nullopt;
  return *std::move(found);
}

absl::StatusOr<CheckpointChoice> All(const std::string& folder, std::optional<RunFolder> run) {
  CheckpointChoice choice = {CheckpointFolder(folder).All(), std::move(run)};
  if (!choice.paths.empty()) return choice;
  return absl::NotFoundError(absl::StrCat(
      folder, " is no run folder (it has no config.textproto) and has no *.safetensors files"));
}

}  // namespace

absl::StatusOr<RunFolder> NewestRun(const std::string& runs) {
  std::optional<RunFolder> newest;
  fs::file_time_type newest_time;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs, error)) {
    absl::StatusOr<RunFolder> folder = RunFolder::Open(entry.path().string());
    if (!folder.ok()) continue;
    const fs::file_time_type time = fs::last_write_time(folder->config_file(), error);
    if (error || (newest.has_value() && time <= newest_time)) continue;
    newest = *std::move(folder);
    newest_time = time;
  }
  if (newest.has_value()) return *std::move(newest);
  return absl::NotFoundError(
      absl::StrCat("there is no run folder in \"", runs, "\"; name one, or --output=FOLDER"));
}

absl::StatusOr<CheckpointChoice> ChooseCheckpoints(const std::string& target,
                                                   const std::string& which,
                                                   const std::string& runs) {
  std::error_code error;
  if (fs::is_regular_file(target, error)) {
    const fs::path folder = fs::path(target).parent_path();
    return CheckpointChoice{{target}, RunOf(folder.empty() ? "." : folder)};
  }
  absl::StatusOr<RunFolder> run = target.empty() ? NewestRun(runs) : RunFolder::Open(target);
  if (!run.ok()) {
    if (target.empty() || !fs::is_directory(target, error)) return run.status();
    return All(target, RunOf(target));
  }
  if (which == "all") return All(run->checkpoints(), *run);
  const CheckpointFolder checkpoints(run->checkpoints());
  absl::StatusOr<std::string> path = checkpoints.Find(which);
  if (!path.ok() && which == "best") path = checkpoints.Find("last");
  if (!path.ok()) return path.status();
  return CheckpointChoice{{*path}, *run};
}

absl::StatusOr<CheckpointChoice> ChooseCheckpoint(const std::string& target,
                                                  const std::string& which,
                                                  const std::string& runs) {
  absl::StatusOr<CheckpointChoice> choice = ChooseCheckpoints(target, which, runs);
  if (!choice.ok() || choice->paths.size() == 1) return choice;
  return absl::InvalidArgumentError(absl::StrCat(choice->paths.size(),
                                                 " checkpoints where one is wanted; name ",
                                                 choice->paths.back(), " or another"));
}

}  // namespace hivewire
