#include "policy/track/csv_writer.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "policy/checkpoint/atomic_file.h"

namespace hivewire {

absl::Status CsvWriter::DropRowsAfter(const std::string& path, double keep_up_to) {
  absl::StatusOr<std::string> content = ReadFile(path);
  if (absl::IsNotFound(content.status())) return absl::OkStatus();
  if (!content.ok()) return content.status();
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(*content, '\n', absl::SkipEmpty())) {
    double first = 0;
    const absl::string_view cell = line.substr(0, line.find(','));
    if (kept.empty() || (absl::SimpleAtod(cell, &first) && first <= keep_up_to)) {
      absl::StrAppend(&kept, line, "\n");
    }
  }
  return WriteFileAtomically(path, {kept});
}

absl::Status CsvWriter::Append(absl::Span<const double> row) {
  std::error_code error;
  const bool is_new = !std::filesystem::exists(path_, error);
  std::FILE* file = std::fopen(path_.c_str(), "ae");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  const auto cell = [](std::string* out, double value) {
    if (!std::isnan(value)) absl::StrAppendFormat(out, "%.10g", value);
  };
  std::string text = is_new ? absl::StrJoin(columns_, ",") + "\n" : "";
  text += absl::StrJoin(row, ",", cell) + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int write_error = errno;
  if (std::fclose(file) != 0 || !written) {
    return absl::ErrnoToStatus(written ? errno : write_error, absl::StrCat("cannot write ", path_));
  }
  return absl::OkStatus();
}

}  // namespace hivewire
