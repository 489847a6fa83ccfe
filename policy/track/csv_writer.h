// A table that grows by rows: RUN/progress.csv.
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_TRACK_CSV_WRITER_H_
#define HIVEWIRE_POLICY_TRACK_CSV_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace hivewire {

class CsvWriter {
 public:
  // The first column counts up. Where the file has rows already, those with a first column above
  // `keep_up_to` are dropped (a resumed run writes them again).
  static absl::Status DropRowsAfter(const std::string& path, double keep_up_to);

  CsvWriter(std::string path, std::vector<std::string> columns)
      : path_(std::move(path)), columns_(std::move(columns)) {}

  // Appends a row, after the header where the file is new. NaN is written as an empty cell.
  absl::Status Append(absl::Span<const double> row);

 private:
  std::string path_;
  std::vector<std::string> columns_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_CSV_WRITER_H_
