// What reference.py recorded of one env of an original.
#ifndef HIVEWIRE_TESTS_PARITY_RECORDING_H_
#define HIVEWIRE_TESTS_PARITY_RECORDING_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/config.pb.h"

namespace hivewire {

struct Recording {
  enum Kind { kStep = 0, kReset = 1, kSeededReset = 2 };

  // Some elements of each row.
  struct Columns {
    size_t first = 0, count = 0;
    std::string dtype;      // where the original has one
    bool in_reset = false;  // info leaves: whether a reset gives them
  };

  // Reads the files `prefix`.textproto, .columns and .rows.
  static absl::StatusOr<Recording> Read(const std::string& prefix);

  size_t num_rows() const { return values.size() / row_size; }
  absl::Span<const double> At(size_t row, const Columns& columns) const {
    return absl::MakeConstSpan(values).subspan(row * row_size + columns.first, columns.count);
  }

  v1::EnvEntry entry;  // id and options
  std::string name;
  uint64_t seed = 0;
  size_t row_size = 0;
  Columns kind, action, observation, reward, terminated;
  std::map<std::string, Columns> info;  // by the leaf's name
  std::vector<double> values;           // (num_rows, row_size)
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_PARITY_RECORDING_H_
