#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

absl::Status Failed(const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat(path, ": ", std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  return absl::FailedPreconditionError(message);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return Failed(path);
  std::string content;
  char block[1 << 16];
  errno = 0;
  for (size_t count; (count = std::fread(block, 1, sizeof(block), file)) > 0;)
    content.append(block, count);
  const absl::Status status = std::ferror(file) ? Failed(path) : absl::OkStatus();
  std::fclose(file);
  if (!status.ok()) return status;
  return content;
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  const absl::string_view line =
      absl::StripAsciiWhitespace(absl::string_view(*content).substr(0, content->find('\n')));
  if (line.empty())
    return absl::InvalidArgumentError(absl::StrCat(path, ": its first line is empty"));
  return std::string(line);
}

}  // namespace hivewire
