#include "base/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {

absl::StatusOr<OutputFile> OutputFile::Create(const std::string& path, int mode) {
  std::string temporary = absl::StrCat(path, ".", getpid(), ".part");
  unlink(temporary.c_str());  // of a process that was killed, and perhaps of another mode
  const int descriptor = open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  OutputFile file(path, std::move(temporary), descriptor);
  if (descriptor < 0) return file.Failed();
  return file;
}

OutputFile::OutputFile(std::string path, std::string temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

absl::Status OutputFile::Failed() const {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
}

absl::Status OutputFile::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed();
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Commit() {
  // A disk that turns out to be full only now must not replace what was there.
  if (fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return Failed();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return Failed();
  close(std::exchange(descriptor_, -1));
  return absl::OkStatus();
}

}  // namespace hivewire
