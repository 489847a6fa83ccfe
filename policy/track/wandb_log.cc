#include "policy/track/wandb_log.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr size_t kBlock = 32768;
constexpr size_t kFragmentHead = 7;
constexpr absl::string_view kHeader("\x3aW&B\xe1\xbe\x00", 7);

enum FragmentType : char { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

template <typename Integer>
void Append(Integer value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string Fragment(FragmentType type, absl::string_view data) {
  const std::string checked = absl::StrCat(std::string(1, type), data);
  std::string fragment;
  Append(static_cast<uint32_t>(
             crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size())),
         fragment);
  Append(static_cast<uint16_t>(data.size()), fragment);
  return absl::StrCat(fragment, checked);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WandbLog>> WandbLog::Create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wbxe");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  std::unique_ptr<WandbLog> log(new WandbLog(path, file));
  if (absl::Status status = log->Write(kHeader); !status.ok()) return status;
  return log;
}

WandbLog::~WandbLog() { std::fclose(file_); }

absl::Status WandbLog::Append(absl::string_view record) {
  std::string framed;
  bool first = true;
  do {
    size_t left = kBlock - (written_ + framed.size()) % kBlock;
    if (left < kFragmentHead) {
      framed.append(left, '\0');
      left = kBlock;
    }
    const absl::string_view data = record.substr(0, left - kFragmentHead);
    record.remove_prefix(data.size());
    const bool last = record.empty();
    framed += Fragment(first ? (last ? kWhole : kFirst) : (last ? kLast : kMiddle), data);
    first = false;
  } while (!record.empty());
  return Write(framed);
}

absl::Status WandbLog::Write(absl::string_view bytes) {
  if (!failed_.ok()) return failed_;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() ||
      std::fflush(file_) != 0) {
    failed_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  written_ += bytes.size();
  return failed_;
}

}  // namespace hivewire
