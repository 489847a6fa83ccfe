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
  CsvWriter(std::string path, std::vector<std::string> columns)
      : path_(std::move(path)), columns_(std::move(columns)) {}

  // Goes on with a file that has rows already: of those, the ones whose first column, which counts
  // up, is above `keep_up_to` are dropped (a resumed run writes them again), and those that were
  // not written to their end. Columns that are new are empty in them.
  absl::Status Continue(double keep_up_to);

  // Appends a row, after the header where the file is new. NaN is written as an empty cell. A row
  // that could not be written whole is not there at all.
  absl::Status Append(absl::Span<const double> row);

 private:
  std::string path_;
  std::vector<std::string> columns_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_CSV_WRITER_H_
