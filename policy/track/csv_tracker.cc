#include "policy/track/csv_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/track/csv_writer.h"

namespace hivewire {
namespace {

// A column after the frames, and the tag whose value it holds.
struct Column {
  const char* name;
  const char* tag;
};

// A table of what is reported together: what lacks the first column's value is no row of it.
struct Table {
  const char* file;
  std::vector<Column> columns;
};

const std::vector<Table>& Tables() {
  static const auto& tables = *new std::vector<Table>{
      {"progress.csv",
       {
           {"updates", "charts/updates"},
           {"seconds", "charts/seconds"},
           {"frames_per_second", "charts/SPS"},
           {"episodes", "charts/episodes"},
           {"episodic_return", "charts/episodic_return"},
           {"return_min", "charts/return_min"},
           {"return_max", "charts/return_max"},
           {"episodic_length", "charts/episodic_length"},
           {"update_seconds", "charts/update_seconds"},
           {"learning_rate", "charts/learning_rate"},
           {"policy_loss", "losses/policy_loss"},
           {"value_loss", "losses/value_loss"},
           {"entropy", "losses/entropy"},
           {"approx_kl", "losses/approx_kl"},
           {"clipfrac", "losses/clipfrac"},
           {"explained_variance", "losses/explained_variance"},
           {"wait_seconds", "charts/wait_seconds"},
           {"observe_seconds", "charts/observe_seconds"},
           {"act_seconds", "charts/act_seconds"},
           {"staleness_mean", "charts/staleness_mean"},
           {"staleness_max", "charts/staleness_max"},
           {"fragments_dropped", "charts/fragments_dropped"},
           {"collectors", "charts/collectors"},
       }},
      {"evaluations.csv",
       {
           {"episodic_return", "eval/episodic_return"},
           {"episodic_length", "eval/episodic_length"},
           {"success_rate", "eval/success_rate"},
       }},
  };
  return tables;
}

class CsvTracker : public Tracker {
 public:
  // Goes on with the tables of a run that has got to `frames`.
  static absl::StatusOr<std::unique_ptr<CsvTracker>> Make(const std::string& folder,
                                                          int64_t frames) {
    auto tracker = std::make_unique<CsvTracker>();
    for (const Table& table : Tables()) {
      std::vector<std::string> names = {"frames"};
      for (const Column& column : table.columns) names.push_back(column.name);
      tracker->writers_.emplace_back(folder + "/" + table.file, std::move(names));
      absl::Status status = tracker->writers_.back().Continue(static_cast<double>(frames));
      if (!status.ok()) return status;
    }
    return tracker;
  }

  absl::Status AddScalars(int64_t step, absl::Span<const Statistic> scalars) override {
    const auto value = [&](const char* tag) {
      const auto found = std::find_if(scalars.begin(), scalars.end(),
                                      [tag](const Statistic& scalar) { return scalar.tag == tag; });
      return found == scalars.end() ? std::numeric_limits<double>::quiet_NaN() : found->value;
    };
    absl::Status status;
    for (size_t k = 0; k < writers_.size(); ++k) {
      const std::vector<Column>& columns = Tables()[k].columns;
      if (std::isnan(value(columns[0].tag))) continue;
      std::vector<double> row = {static_cast<double>(step)};
      for (const Column& column : columns) row.push_back(value(column.tag));
      status.Update(writers_[k].Append(row));
    }
    return status;
  }

 private:
  std::vector<CsvWriter> writers_;  // of the tables
};

}  // namespace

absl::StatusOr<std::unique_ptr<Tracker>> MakeCsvTracker(const TrackedRun& run) {
  return CsvTracker::Make(run.folder, run.frames);
}

}  // namespace hivewire
