#include "policy/checkpoint/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

absl::Status WriteAll(int file, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(file, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "");
    data.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status Named(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("cannot write ", path, status.message()));
}

std::string TemporaryName(const std::string& path) {
  return absl::StrCat(path, ".", getpid(), ".tmp");
}

// Makes the rename itself outlast a power failure.
void SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int file = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    const absl::Status status = absl::ErrnoToStatus(errno, "");
    unlink(from.c_str());
    return Named(to, status);
  }
  SyncFolderOf(to);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::Span<const absl::string_view> pieces) {
  const std::string temporary = TemporaryName(path);
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return Named(path, absl::ErrnoToStatus(errno, ""));
  absl::Status status;
  for (const absl::string_view piece : pieces) {
    if (status.ok()) status = WriteAll(file, piece);
  }
  if (status.ok() && fsync(file) != 0) status = absl::ErrnoToStatus(errno, "");
  if (close(file) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "");
  if (!status.ok()) {
    unlink(temporary.c_str());
    return Named(path, status);
  }
  return Rename(temporary, path);
}

absl::Status LinkAtomically(const std::string& existing, const std::string& path) {
  const std::string temporary = TemporaryName(path);
  unlink(temporary.c_str());
  if (link(existing.c_str(), temporary.c_str()) == 0) return Rename(temporary, path);
  // Some file systems have no second names.
  std::error_code error;
  if (!std::filesystem::copy_file(existing, temporary, error)) {
    unlink(temporary.c_str());
    return absl::UnknownError(
        absl::StrCat("cannot copy ", existing, " to ", path, ": ", error.message()));
  }
  return Rename(temporary, path);
}

}  // namespace hivewire
