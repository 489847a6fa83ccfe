// A file that appears under its name only when it is whole: until Commit it has a temporary name
// beside it, and without Commit nothing is left behind.
//
// Errors name the path and what the system says. One thread at a time.
#ifndef HIVEWIRE_BASE_OUTPUT_FILE_H_
#define HIVEWIRE_BASE_OUTPUT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class OutputFile {
 public:
  // `mode` less the process's umask.
  static absl::StatusOr<OutputFile> Create(const std::string& path, int mode = 0666);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // For a program that writes the file in our place.
  const std::string& temporary_path() const { return temporary_; }

  absl::Status Write(absl::string_view bytes);
  // The file takes its place, and that of a file that was there.
  absl::Status Commit();

 private:
  OutputFile(std::string path, std::string temporary, int descriptor);

  absl::Status Failed() const;

  std::string path_;
  std::string temporary_;
  int descriptor_;  // −1 once committed or moved from
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_OUTPUT_FILE_H_
