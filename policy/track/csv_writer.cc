#include "policy/track/csv_writer.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "policy/checkpoint/atomic_file.h"

namespace hivewire {

absl::Status CsvWriter::Continue(double keep_up_to) {
  absl::StatusOr<std::string> content = ReadFile(path_);
  if (absl::IsNotFound(content.status())) return absl::OkStatus();
  if (!content.ok()) return content.status();
  std::vector<absl::string_view> lines = absl::StrSplit(*content, '\n');
  lines.pop_back();  // empty, or half a row
  const auto columns_of = [](absl::string_view line) {
    return std::count(line.begin(), line.end(), ',') + 1;
  };
  const int64_t columns = static_cast<int64_t>(columns_.size());
  const int64_t had = lines.empty() ? columns : columns_of(lines[0]);
  std::string kept = absl::StrJoin(columns_, ",") + "\n";
  for (size_t k = 1; k < lines.size(); ++k) {
    double first = 0;
    const absl::string_view cell = lines[k].substr(0, lines[k].find(','));
    if (columns_of(lines[k]) != had || !absl::SimpleAtod(cell, &first) || first > keep_up_to) {
      continue;
    }
    absl::StrAppend(&kept, lines[k], std::string(std::max<int64_t>(0, columns - had), ','), "\n");
  }
  return WriteFileAtomically(path_, {kept});
}

absl::Status CsvWriter::Append(absl::Span<const double> row) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path_, error);
  const uintmax_t before = error ? 0 : size;
  std::FILE* file = std::fopen(path_.c_str(), "ae");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  const auto cell = [](std::string* out, double value) {
    if (!std::isnan(value)) absl::StrAppendFormat(out, "%.10g", value);
  };
  std::string text = before == 0 ? absl::StrJoin(columns_, ",") + "\n" : "";
  text += absl::StrJoin(row, ",", cell) + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int write_error = errno;
  if (std::fclose(file) == 0 && written) return absl::OkStatus();
  const int failure = written ? errno : write_error;
  std::filesystem::resize_file(path_, before, error);
  return absl::ErrnoToStatus(failure, absl::StrCat("cannot write ", path_));
}

}  // namespace hivewire
