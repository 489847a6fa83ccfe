// The file that `wandb sync` uploads: records in the framing of LevelDB's log, with a header and
// checksums of wandb's own.
//
//   header: ":W&B", u16 0xBEE1, u8 version 0
//   blocks of 32 KiB (the header is part of the first one); in them fragments of records:
//   u32 crc32 of type and data, u16 length, u8 type (1 whole, 2 first, 3 middle, 4 last), data
// What is left of a block that holds no fragment's head is zero. Little-endian throughout. (Facts
// of wandb's sdk/internal/datastore.py and LevelDB's log_format.md.)
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_TRACK_WANDB_LOG_H_
#define HIVEWIRE_POLICY_TRACK_WANDB_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class WandbLog {
 public:
  // A new file.
  static absl::StatusOr<std::unique_ptr<WandbLog>> Create(const std::string& path);
  ~WandbLog();

  // On the disk when this returns. After a Status nothing more can be written: what is in the file
  // then ends with a record that is cut off, which readers leave out.
  absl::Status Append(absl::string_view record);

 private:
  WandbLog(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  absl::Status Write(absl::string_view bytes);

  const std::string path_;
  std::FILE* file_;
  uint64_t written_ = 0;
  absl::Status failed_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_WANDB_LOG_H_
